package host

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"
)

// A real connection, whose server side is in turn waiting, half closed and gone.
func TestSettleWaitsForConnectionsToEnd(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	address := listener.Addr().String()
	if err := Settle(t.Context(), address, time.Hour); err != nil {
		t.Errorf("a server without connections: %v", err)
	}
	client, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	port := uint64(listener.Addr().(*net.TCPAddr).Port)
	for _, step := range []func() error{func() error { return nil }, client.Close} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
		if !machine.connected(port) {
			t.Error("a connection that the server holds is not seen")
		}
	}
	done := make(chan error)
	go func() { done <- Settle(t.Context(), address, time.Hour) }()
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if machine.connected(port) {
		t.Error("settled, and there is a connection")
	}
}

func TestSettleEndsAfterItsTime(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if err := Settle(t.Context(), listener.Addr().String(), time.Millisecond); err != nil {
		t.Errorf("out of time: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Settle(ctx, listener.Addr().String(), time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	for _, address := range []string{"127.0.0.1", "127.0.0.1:http"} {
		if err := Settle(t.Context(), address, time.Hour); err == nil {
			t.Errorf("%s is taken for an address", address)
		}
	}
}
