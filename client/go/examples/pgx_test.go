package examples

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"

	"halfopen.dev/client/go/halfopentest"
)

// servePostgres answers every query of clients on port 5432 of a host with one row, 42.
func servePostgres(t *testing.T, host *halfopentest.Host) {
	t.Helper()
	listener := listen(t, host, ":5432")
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answerQueries(conn)
		}
	}()
}

// answerQueries speaks as much of PostgreSQL's protocol as a client of simple queries needs.
func answerQueries(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	server := pgproto3.NewBackend(conn, conn)
	if _, err := server.ReceiveStartupMessage(); err != nil {
		return
	}
	server.Send(&pgproto3.AuthenticationOk{})
	server.Send(&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "on"})
	server.Send(&pgproto3.ParameterStatus{Name: "client_encoding", Value: "UTF8"})
	server.Send(&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: []byte{0, 0, 0, 1}})
	for {
		server.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		if err := server.Flush(); err != nil {
			return
		}
		message, err := server.Receive()
		if err != nil {
			return
		}
		query, isQuery := message.(*pgproto3.Query)
		switch {
		case !isQuery:
			return
		case query.String == "-- ping":
			server.Send(&pgproto3.EmptyQueryResponse{})
		default:
			server.Send(&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{
				{Name: []byte("answer"), DataTypeOID: 23, DataTypeSize: 4, TypeModifier: -1},
			}})
			server.Send(&pgproto3.DataRow{Values: [][]byte{[]byte("42")}})
			server.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
		}
	}
}

// postgres returns a pool of connections from one host to another.
func postgres(t *testing.T, client *halfopentest.Host, settings net.Dialer) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig("postgres://user@server/db?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	config.ConnConfig.DialFunc = pgconn.DialFunc(client.Dialer(settings).DialContext)
	config.ConnConfig.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func answer(ctx context.Context, pool *pgxpool.Pool) (answer int, took time.Duration, err error) {
	began := time.Now()
	err = pool.QueryRow(ctx, "select 42").Scan(&answer)
	return answer, time.Since(began), err
}

// A pool checks a connection that was idle for more than a second before a query gets it. The query's context limits how long that
// takes; without one, TCP does.
func TestAPostgresPoolReplacesADeadConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := halfopentest.Start(t)
		servePostgres(t, s.Host("server"))
		pool := postgres(t, s.Host("client"), net.Dialer{KeepAlive: -1})
		if number, _, err := answer(t.Context(), pool); number != 42 || err != nil {
			t.Fatalf("%d, %v", number, err)
		}
		s.Inject(t, "{reboot: server, back-after: 10s}")
		time.Sleep(time.Minute)
		servePostgres(t, s.Host("server"))
		number, took, err := answer(t.Context(), pool)
		if number != 42 || err != nil || took > time.Second {
			t.Errorf("%d after %v, %v", number, took, err)
		}
	})
}

func TestAQueryToADeadServerEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := halfopentest.Start(t)
		servePostgres(t, s.Host("server"))
		pool := postgres(t, s.Host("client"), net.Dialer{KeepAlive: -1})
		if number, _, err := answer(t.Context(), pool); number != 42 || err != nil {
			t.Fatalf("%d, %v", number, err)
		}
		s.Inject(t, "{power-loss: server}")
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, took, err := answer(ctx, pool); err == nil || took != 5*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
	})
}
