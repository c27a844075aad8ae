package frameworks_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"restbench/frameworks"
)

func TestOther(t *testing.T) {
	c, err := frameworks.Load()
	if err != nil {
		t.Fatal(err)
	}
	other, err := c.Other("fastapi@2020", "==0.61.0", "fastapi==0.61.0")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"fastapi==0.61.0", "uvicorn"}, other.Requirements); diff != "" {
		t.Error(diff)
	}
	if other.Target.String() != "fastapi==0.61.0" || other.Recipe.Name != "fastapi==0.61.0" || other.Recipe.Python.Version != "3.8" {
		t.Errorf("got %+v, %+v", other.Target, other.Recipe.Python)
	}
	edition, err := c.One("fastapi@2020")
	if err != nil || edition.Target.Edition != "2020" || cmp.Diff(edition.Serving, other.Serving) != "" {
		t.Errorf("serving is %+v, the edition's %+v, %v", other.Serving, edition.Serving, err)
	}
	if _, err := c.Other("fastapi@1999", "==1", "fastapi==1"); err == nil || !strings.Contains(err.Error(), "1999") {
		t.Errorf("an edition that is not there: %v", err)
	}
}

func TestFrameworkOrPackage(t *testing.T) {
	c, err := frameworks.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"djangorestframework", "DjangoRestFramework"} {
		if f, err := c.FrameworkOrPackage(name); err != nil || f.Name != "djangorestframework" {
			t.Errorf("%s: %v, %v", name, f.Name, err)
		}
	}
	if _, err := c.FrameworkOrPackage("flusk"); err == nil || !strings.Contains(err.Error(), "did you mean flask") {
		t.Errorf("got %v", err)
	}
}
