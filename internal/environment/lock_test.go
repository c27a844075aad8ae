package environment

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLock(t *testing.T) {
	old, recent := newWheel(t, "greeter", "1.2", "2020-08-10T23:59:59Z"), newWheel(t, "greeter", "1.3", "2020-08-11T00:00:01Z")
	index := newIndex(t, old, recent)
	w := newWorld(t, index.simple())
	w.env["TZ"] = "Pacific/Kiritimati" // 14 hours ahead: a date would mean another day there
	request := LockRequest{
		Name: "greeter@2020", Requirements: []string{"greeter"}, Python: minor(w.python.Version),
		ExcludeNewer: "2020-08-11T00:00:00Z",
	}
	var locks []string
	for range 2 {
		lock, err := w.manager().Lock(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		locks = append(locks, string(lock))
	}
	if diff := cmp.Diff(lockOf(old), locks[0]); diff != "" {
		t.Error(diff)
	}
	if locks[0] != locks[1] || strings.Contains(locks[0], "http") {
		t.Errorf("got %q, then %q", locks[0], locks[1])
	}
	request.ExcludeNewer = ""
	lock, err := w.manager().Lock(t.Context(), request)
	if err != nil || string(lock) != lockOf(recent) {
		t.Errorf("without a date: %q, %v", lock, err)
	}
}

func TestLockErrors(t *testing.T) {
	w := newWorld(t, newIndex(t, newWheel(t, "greeter", "1.2", "")).simple())
	good := LockRequest{Name: "greeter@2020", Requirements: []string{"greeter"}, Python: minor(w.python.Version)}
	tests := map[string]func(*LockRequest){
		"must be a UTC time":       func(r *LockRequest) { r.ExcludeNewer = "2020-08-11" },
		"must be a UTC time such":  func(r *LockRequest) { r.ExcludeNewer = "2020-08-11T00:00:00+02:00" },
		"in the future":            func(r *LockRequest) { r.ExcludeNewer = "2999-08-11T00:00:00Z" },
		"there are no requirement": func(r *LockRequest) { r.Requirements = nil },
		"greeter==99":              func(r *LockRequest) { r.Requirements = []string{"greeter==99"} },
	}
	for want, change := range tests {
		request := good
		change(&request)
		_, err := w.manager().Lock(t.Context(), request)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "lock greeter@2020: ") {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}
