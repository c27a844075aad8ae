package bench

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// changed gives classic with one field changed, for each field.
func changed(t *testing.T) map[string]Protocol {
	t.Helper()
	all := map[string]Protocol{}
	fields := reflect.TypeFor[Protocol]()
	for i := range fields.NumField() {
		p := Classic()
		switch v := reflect.ValueOf(&p).Elem().Field(i); v.Kind() {
		case reflect.Int, reflect.Int64:
			v.SetInt(v.Int() + int64(time.Second))
		case reflect.Float64:
			v.SetFloat(v.Float() + 0.5)
		case reflect.String:
			v.SetString(v.String() + "x")
		default:
			t.Fatalf("field %s is a %s", fields.Field(i).Name, v.Kind())
		}
		all[fields.Field(i).Name] = p
	}
	return all
}

// Two protocols that differ in anything must not meet in a statistic.
func TestHashTellsEveryFieldApart(t *testing.T) {
	seen := map[string]string{Classic().Hash(): "classic"}
	for field, p := range changed(t) {
		if other, taken := seen[p.Hash()]; taken {
			t.Errorf("another %s has the hash of %s", field, other)
		}
		seen[p.Hash()] = field
	}
}

func TestProtocolSurvivesJSON(t *testing.T) {
	for field, p := range changed(t) {
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var got Protocol
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%s: %v", field, err)
		}
		if diff := cmp.Diff(p, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", field, diff)
		}
	}
}

func TestClassicIsThePublications(t *testing.T) {
	for field, p := range changed(t) {
		free := field == "Name" || field == "Engine"
		if p.IsClassic() != free {
			t.Errorf("classic with another %s: IsClassic is %t", field, p.IsClassic())
		}
		if err := p.Validate(); !free && (err == nil || !strings.Contains(err.Error(), "another name")) {
			t.Errorf("classic with another %s is accepted: %v", field, err)
		}
	}
	if err := Classic().Validate(); err != nil {
		t.Error(err)
	}
}

func TestEnginesDoNotShareALabel(t *testing.T) {
	p := Classic()
	native := p.Label()
	p.Engine = EngineWrk
	if native != "classic" || p.Label() != "classic-wrk" {
		t.Errorf("labels are %q and %q, want classic and classic-wrk", native, p.Label())
	}
}

// wrk divides 20 connections by 3 threads and drops the remainder: 6 each.
func TestConnectionsAreDividedByThreads(t *testing.T) {
	p := Protocol{Threads: 3, Connections: 20}
	if got := p.Effective(); got != 18 {
		t.Errorf("%d connections, want 18", got)
	}
}

// Short windows open connections one after another, also where there is no room for a
// warm-up. Classic begins as wrk does.
func TestRampUpOfShortWindows(t *testing.T) {
	warm, wrk := Classic(), Adaptive()
	warm.Name, warm.Warmup, wrk.Engine = "warm", time.Second, EngineWrk
	unwarmed, long := Compare(time.Minute, 0.02), Compare(time.Minute, 0.02)
	unwarmed.Warmup, unwarmed.Name = 0, ProtocolCustom // as --warmup=0s makes it
	long.Warmup, long.Name, long.Duration = 0, ProtocolCustom, 2*time.Second
	for name, test := range map[string]struct {
		p    Protocol
		want time.Duration
	}{
		"classic":                   {Classic(), 0},
		"with a warm-up":            {warm, RampUp},
		"adaptive":                  {Adaptive(), RampUp},
		"adaptive by wrk":           {wrk, 0},
		"comparison":                {Compare(time.Minute, 0.02), RampUp},
		"comparison, no warm-up":    {unwarmed, RampUp},
		"long and no warm-up":       {long, 0},
		"upgrade in a second":       {Upgrade(time.Second, 10*time.Second, 0.03), RampUp},
		"upgrade in twelve seconds": {Upgrade(12*time.Second, 10*time.Second, 0.03), RampUp},
	} {
		if got := test.p.RampUp(); got != test.want {
			t.Errorf("%s, warm-up %s: %s, want %s", name, test.p.Warmup, got, test.want)
		}
	}
}

func TestOnlyMeasurementsWithoutFaultCount(t *testing.T) {
	for name, test := range map[string]struct {
		m     Measurement
		valid bool
	}{
		"plain":   {Measurement{}, true},
		"noisy":   {Measurement{Marks: []Mark{{Kind: MarkNoisy, Reason: ReasonSteal}}}, true},
		"invalid": {Measurement{Marks: []Mark{{Kind: MarkNoisy}, {Kind: MarkInvalid, Reason: ReasonPause}}}, false},
		"failure": {Measurement{Failure: &Failure{Stage: StageLoad}}, false},
	} {
		if got := test.m.Valid(); got != test.valid {
			t.Errorf("%s: valid is %t, want %t", name, got, test.valid)
		}
	}
}
