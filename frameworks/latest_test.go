package frameworks_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"restbench/frameworks"
)

// Every framework of the edition current has latest, with current's requirements
// and nothing that is locked.
func TestLatest(t *testing.T) {
	c, err := frameworks.Load()
	if err != nil {
		t.Fatal(err)
	}
	all, err := c.Latest(nil)
	if err != nil || len(all) != len(c.Frameworks) {
		t.Fatalf("%d of %d frameworks, %v", len(all), len(c.Frameworks), err)
	}
	for _, o := range all {
		current, err := c.One(o.Target.Framework + "@current")
		if err != nil {
			t.Fatal(err)
		}
		if o.Target.Edition != "latest" || o.Recipe.Lock != nil || o.Recipe.Name != o.Target.String() || len(o.Requirements) == 0 {
			t.Errorf("%s: %+v, %+v", o.Target, o.Recipe, o.Requirements)
		}
		if cmp.Diff(current.Serving, o.Serving) != "" || cmp.Diff(current.Workload, o.Workload) != "" || current.Recipe.Python != o.Recipe.Python {
			t.Errorf("%s is served otherwise than current", o.Target)
		}
	}
	eve, err := c.Latest([]string{"eve"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"events==0.3"}, eve[0].Sources); diff != "" || cmp.Diff([]string{"events"}, eve[0].Recipe.Built) != "" {
		t.Errorf("eve builds %v of %v", eve[0].Recipe.Built, eve[0].Sources)
	}
	two, err := c.Latest([]string{"sanic@latest", "fastapi", "sanic"})
	if err != nil || len(two) != 2 || two[0].Target.Framework != "sanic" || len(two[0].Sources) != 0 || two[1].Target.Framework != "fastapi" {
		t.Errorf("by name: %+v, %v", two, err)
	}
	if diff := cmp.Diff([]string{"fastapi", "uvicorn[standard]"}, two[1].Requirements); diff != "" {
		t.Error(diff)
	}
	if _, err := c.Latest([]string{"flusk"}); err == nil || !strings.Contains(err.Error(), "did you mean flask") {
		t.Errorf("unknown: %v", err)
	}
}
