package examples

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"halfopen.dev/client/go/halfopentest"
)

// serveGRPC serves health checks on port 50051 of a host.
func serveGRPC(t *testing.T, host *halfopentest.Host) {
	t.Helper()
	server := grpc.NewServer()
	healthpb.RegisterHealthServer(server, health.NewServer())
	listener := listen(t, host, ":50051")
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
}

// dialGRPC returns a client on a host. Like the default dialer of grpc-go, it leaves TCP keepalive to the system.
func dialGRPC(t *testing.T, host *halfopentest.Host, options ...grpc.DialOption) healthpb.HealthClient {
	t.Helper()
	dialer := host.Dialer(net.Dialer{KeepAlive: -1})
	options = append(options,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp", address)
		}))
	conn, err := grpc.NewClient("passthrough:///server:50051", options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return healthpb.NewHealthClient(conn)
}

// A call waits for the answer of a server that lost power. With gRPC's keepalive it fails after Time and Timeout. Without, it fails when
// TCP has retransmitted the request for a quarter of an hour.
func TestGRPCFindsADeadServer(t *testing.T) {
	pings := grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 10 * time.Second})
	for _, row := range []struct {
		name    string
		options []grpc.DialOption
		least   time.Duration
		most    time.Duration
	}{
		{"with keepalive", []grpc.DialOption{pings}, 20 * time.Second, 20 * time.Second},
		{"without", nil, 15 * time.Minute, 16 * time.Minute},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := halfopentest.Start(t)
				serveGRPC(t, s.Host("server"))
				client := dialGRPC(t, s.Host("client"), row.options...)
				if _, err := client.Check(t.Context(), &healthpb.HealthCheckRequest{}); err != nil {
					t.Fatal(err)
				}
				s.Inject(t, "{power-loss: server}")
				began := time.Now()
				_, err := client.Check(t.Context(), &healthpb.HealthCheckRequest{})
				took := time.Since(began)
				if status.Code(err) != codes.Unavailable || took < row.least || took > row.most {
					t.Errorf("it took %v: %v", took, err)
				}
			})
		})
	}
}
