package examples

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"halfopen.dev/client/go/halfopentest"
)

// listen listens on a host until the test ends.
func listen(t *testing.T, host *halfopentest.Host, address string) net.Listener {
	t.Helper()
	listener, err := host.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// serveHTTP serves a greeting on port 80 of a host.
func serveHTTP(t *testing.T, host *halfopentest.Host) {
	t.Helper()
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "hello")
		}),
		ReadHeaderTimeout: time.Minute,
	}
	listener := listen(t, host, ":80")
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
}

// get requests the greeting, and returns how long that took.
func get(ctx context.Context, client *http.Client) (time.Duration, error) {
	began := time.Now()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://server/", nil)
	if err != nil {
		return 0, err
	}
	response, err := client.Do(request)
	if err != nil {
		return time.Since(began), err
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.ReadAll(response.Body)
	return time.Since(began), err
}

// transport returns a transport that dials from a host, with the timeouts of http.DefaultTransport.
func transport(t *testing.T, host *halfopentest.Host) *http.Transport {
	t.Helper()
	dialer := host.Dialer(net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second})
	transport := &http.Transport{DialContext: dialer.DialContext, IdleConnTimeout: 90 * time.Second}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

func TestHTTPKeepsAConnectionUntilItIsIdleForTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := halfopentest.Start(t, halfopentest.Scenario(
			"{scenario: http, hosts: {client: {}, server: {}}, network: {latency: 20ms}}"))
		serveHTTP(t, s.Host("server"))
		client := &http.Client{Transport: transport(t, s.Host("client"))}
		for _, row := range []struct {
			pause time.Duration
			takes time.Duration
		}{
			{0, 80 * time.Millisecond},
			{time.Minute, 40 * time.Millisecond},
			{2 * time.Hour, 80 * time.Millisecond},
		} {
			time.Sleep(row.pause)
			if took, err := get(t.Context(), client); err != nil || took != row.takes {
				t.Errorf("after %v it took %v, want %v: %v", row.pause, took, row.takes, err)
			}
		}
	})
}

// A request on a pooled connection to a server that lost power waits for as long as TCP retransmits, a quarter of an hour. Then the
// transport dials again, for the 30 seconds of its dialer's timeout. A timeout of the client limits all of that.
func TestHTTPOnAConnectionToADeadServerNeedsATimeout(t *testing.T) {
	for _, row := range []struct {
		name    string
		timeout time.Duration
		least   time.Duration
		most    time.Duration
	}{
		{"without", 0, 15*time.Minute + 30*time.Second, 16 * time.Minute},
		{"with", 10 * time.Second, 10 * time.Second, 10 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := halfopentest.Start(t)
				serveHTTP(t, s.Host("server"))
				client := &http.Client{Transport: transport(t, s.Host("client")), Timeout: row.timeout}
				if _, err := get(t.Context(), client); err != nil {
					t.Fatal(err)
				}
				s.Inject(t, "{power-loss: server}")
				took, err := get(t.Context(), client)
				if !errors.Is(err, context.DeadlineExceeded) || took < row.least || took > row.most {
					t.Errorf("it took %v: %v", took, err)
				}
			})
		})
	}
}
