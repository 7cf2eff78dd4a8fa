package examples

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"halfopen.dev/client/go/halfopentest"
)

// serveRedis serves miniredis on port 6379 of a host.
func serveRedis(t *testing.T, host *halfopentest.Host) {
	t.Helper()
	redis := miniredis.NewMiniRedis()
	// Dial starts it without a port of the real network.
	conn, err := redis.Dial()
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	// A Redis server probes after 5 minutes.
	listener, err := host.ListenConfig(net.ListenConfig{KeepAlive: 5 * time.Minute}).Listen(t.Context(), "tcp", ":6379")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			redis.Server().ServeConn(conn)
		}
	}()
	t.Cleanup(redis.Close)
}

// redisAt returns the address of Redis on a host. It must not be a name, because go-redis asks the system's resolver for it.
func redisAt(host *halfopentest.Host) string {
	return net.JoinHostPort(host.Addresses()[0], "6379")
}

// A NAT forgets connections that are idle for four minutes. Redis keeps them in its pool for half an hour.
const forgetful = `
scenario: forgetful-nat
hosts: {client: {}, server: {}}
network:
  latency: 20ms
  middleboxes: {nat: {idle: 4m}}
`

func TestRedisRetriesOnAnotherConnectionIfTheNATForgotThisOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := halfopentest.Start(t, halfopentest.Scenario(forgetful))
		serveRedis(t, s.Host("server"))
		client := redis.NewClient(&redis.Options{
			Addr:   redisAt(s.Host("server")),
			Dialer: s.Host("client").Dialer(net.Dialer{Timeout: 5 * time.Second, KeepAlive: 5 * time.Minute}).DialContext,
		})
		defer func() { _ = client.Close() }()
		set := func(value string) time.Duration {
			began := time.Now()
			if err := client.Set(t.Context(), "key", value, 0).Err(); err != nil {
				t.Errorf("set %s: %v", value, err)
			}
			return time.Since(began)
		}
		set("one")
		if took := set("two"); took != 40*time.Millisecond {
			t.Errorf("with a connection it took %v", took)
		}
		time.Sleep(4*time.Minute + 30*time.Second)
		// This is the read timeout of five seconds, a pause, and the time for a new connection.
		if took := set("three"); took < 5*time.Second || took > 6*time.Second {
			t.Errorf("with a forgotten connection it took %v", took)
		}
		if value, err := client.Get(t.Context(), "key").Result(); value != "three" || err != nil {
			t.Errorf("the value is %q, %v", value, err)
		}
	})
}

func TestRedisNoticesThatItsServerWasRebooted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := halfopentest.Start(t)
		serveRedis(t, s.Host("server"))
		client := redis.NewClient(&redis.Options{
			Addr:       redisAt(s.Host("server")),
			Dialer:     s.Host("client").DialContext,
			MaxRetries: -1,
		})
		defer func() { _ = client.Close() }()
		if err := client.Ping(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		s.Inject(t, "{reboot: server, back-after: 1s}")
		time.Sleep(2 * time.Second)
		// If go-redis looks for a push notification first, that read takes the ECONNRESET, and the next one finds the end.
		if err := client.Ping(t.Context()).Err(); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
			t.Errorf("%v", err)
		}
	})
}
