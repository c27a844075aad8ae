//go:build linux && (amd64 || arm64)

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// The edition is switched on by a reload. A release that takes 30 ms where the one
// before took 10 is then measured beside it as soon as it is offered; the verdict
// is told, shown and kept, and from then on the new release is what is measured.
func TestAnUpgradeIsMeasuredAndTold(t *testing.T) {
	state := isolated(t)
	catalogue, releases := delayedFramework(t, state)
	file := latestFile(t, "@yearly")
	on := read(t, file)
	rewrite(t, file, strings.Replace(on, "editions: [latest]", "editions: [current]", 1))
	d := startDaemon(t, state, file, "--frameworks.dir="+catalogue, "--web.enable-lifecycle")
	d.awaitCampaign()
	flags := []string{"--storage.path=" + state, "--config.file=" + file, "--frameworks.dir=" + catalogue}
	checkList(t, flags, "latest (off)", "tiny +1.0 +asyncio")

	d.rereads(t, file, on)
	eventually(t, time.Minute, "the index was asked", func() bool {
		_, err := os.Stat(filepath.Join(state, "latest", "asked"))
		return err == nil
	})
	checkList(t, flags, "latest (asked "+time.Now().UTC().Format("2006-")+"[0-9-]+)", "tiny +1.0 +1.0 +asyncio")
	if ratio := d.upgradeRatio(); ratio != "" {
		t.Errorf("before there is an upgrade its ratio is %s", ratio)
	}
	offer(t, releases, "tiny", "2.0", delayed(30))
	eventually(t, 5*time.Minute, "the upgrade is shown", func() bool { return d.upgradeRatio() != "" })
	checkUpgradeIsShown(t, d)
	t.Run("alert", func(t *testing.T) { checkUpgradeAlert(t, d, file) })
	d.rereads(t, file, on)
	checkUpgradeIsAccepted(t, d, flags[:2])
	if log := d.stop().err; !strings.Contains(log, "tiny@latest, tiny 1.0 → 2.0: slower") {
		t.Errorf("the log does not tell of the upgrade:\n%s", log)
	}
	checkUpgradeIsKept(t, flags)
	again := startDaemon(t, state, file, "--frameworks.dir="+catalogue)
	eventually(t, time.Minute, "the upgrade is shown after a restart", func() bool { return again.upgradeRatio() != "" })
}

// rereads gives the daemon a new configuration.
func (d *runningDaemon) rereads(t *testing.T, file, text string) {
	t.Helper()
	rewrite(t, file, text)
	response, err := http.Post(d.url+"/-/reload", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("reload: %s", response.Status)
	}
}

// checkList looks for a column and a row in the catalogue, in which a plus stands
// for some space.
func checkList(t *testing.T, flags []string, column, row string) {
	t.Helper()
	got := restbench(t.Context(), t, append([]string{"list"}, flags...)...)
	column = strings.NewReplacer("(", `\(`, ")", `\)`).Replace(column)
	if !regexp.MustCompile(column).MatchString(got.out) || !regexp.MustCompile("(?m)^"+row+"$").MatchString(got.out) {
		t.Errorf("the catalogue has no %q or no %q: %+v", column, row, got)
	}
}

func checkUpgradeIsShown(t *testing.T, d *runningDaemon) {
	t.Helper()
	var ratio, high float64
	if _, err := fmt.Sscan(d.upgradeRatio()+" "+d.metric("restbench_upgrade_ratio_ci95_high"+upgradeLabels), &ratio, &high); err != nil {
		t.Fatal(err)
	}
	if ratio < 0.2 || ratio > 0.8 || high < ratio || high >= 1 {
		t.Errorf("ratio is %g, at most %g; want about 0.3", ratio, high)
	}
	if slower := d.metric(upgradeIsSlower); slower != "1" {
		t.Errorf("the verdict slower is %q", slower)
	}
	if _, page := d.get("/"); !strings.Contains(page, "tiny 1.0 → 2.0") || !strings.Contains(page, "slower") {
		t.Errorf("the page does not tell of the upgrade:\n%s", page)
	}
}

const upgradeIsSlower = `restbench_upgrade_verdict{edition="latest",framework="tiny",protocol="upgrade",serving="documented",verdict="slower",workload="hello"}`

// checkUpgradeAlert waits for the shipped alert at the shipped receiver, by way of
// a real Prometheus and a real Alertmanager. It is the verdict of the daemon, so
// another threshold in the daemon's configuration ends it.
func checkUpgradeAlert(t *testing.T, d *runningDaemon, file string) {
	t.Helper()
	const alert = "RestbenchSlowerAfterUpgrade"
	prometheus, alertmanager := monitoring(t)
	stack := startStack(t, prometheus, alertmanager, strings.TrimPrefix(d.url, "http://"))
	eventually(t, 2*time.Minute, "alert of tiny at people", func() bool { return stack.inbox.has("people", alert, "tiny") })
	said := stack.inbox.annotations(alert + " tiny")
	if !strings.HasPrefix(said["summary"], "tiny is slower after its upgrade: ") || !strings.Contains(said["description"], "(edition latest)") {
		t.Errorf("the message says %v", said)
	}
	d.rereads(t, file, strings.Replace(read(t, file), "min_age: 0s", "min_age: 0s, threshold: 0.9", 1))
	eventually(t, time.Minute, "another verdict", func() bool { return d.metric(upgradeIsSlower) == "0" })
	eventually(t, 2*time.Minute, "end of the alert at people", func() bool { return stack.inbox.ended("people", alert, "tiny") })
}

// checkUpgradeIsAccepted accepts the upgrade beside the daemon, which notices.
func checkUpgradeIsAccepted(t *testing.T, d *runningDaemon, flags []string) {
	t.Helper()
	active := func(want string) func() bool {
		return func() bool { return d.metric("restbench_upgrade_active"+upgradeLabels) == want }
	}
	eventually(t, time.Minute, "the upgrade is news", active("1"))
	accept := func(args ...string) outcome {
		return restbench(t.Context(), t, append(append([]string{"accept"}, args...), flags...)...)
	}
	if got := accept(); got.code != exitDone || !regexp.MustCompile(`(?m)^2-tiny@latest +tiny@latest, tiny 1\.0 → 2\.0 +0\.\d+ times .* upgrade +holds$`).MatchString(got.out) {
		t.Errorf("accept lists %+v", got)
	}
	// Whatever this command takes for a difference, the daemon tells of one.
	lenient := writeFile(t, "lenient.yml", "latest: {threshold: 0.9}\n")
	flags = append(flags[:1:1], "--config.file="+lenient)
	if got := accept(); got.code != exitDone || !strings.Contains(got.out, "no upgrade that makes a difference") {
		t.Errorf("accept lists %+v", got)
	}
	if got := accept("2-tiny@latest", "--reason=worth it"); got.code != exitDone || !strings.HasPrefix(got.out, "accepted: 2-tiny@latest, tiny@latest, tiny 1.0 → 2.0 ") {
		t.Errorf("accept: %+v", got)
	}
	eventually(t, time.Minute, "the daemon has noticed", active("0"))
	if _, page := d.get("/"); !strings.Contains(page, "worth it") {
		t.Error("the page does not give the reason")
	}
	if got := accept("2-tiny@latest", "--reason=again"); got.code != exitFailed || !strings.Contains(got.err, "does not hold any more: accepted") {
		t.Errorf("accepted twice: %+v", got)
	}
}

func checkUpgradeIsKept(t *testing.T, flags []string) {
	t.Helper()
	checkUpgradeCampaign(t, flags, "slower")
	other := writeFile(t, "restbench.yml", "latest: {threshold: 0.9}\n")
	checkUpgradeCampaign(t, append([]string{"--config.file=" + other}, flags[0]), "same")
	got := restbench(t.Context(), t, append([]string{"report", "--format=json"}, flags...)...)
	var last struct{ Campaign struct{ ID int } }
	if err := json.Unmarshal([]byte(got.out), &last); err != nil || last.Campaign.ID != 1 {
		t.Errorf("the report is not about the newest campaign that is no upgrade: %v, %+v", err, got)
	}
	got = restbench(t.Context(), t, append([]string{"run", "tiny@latest", "--rounds=1", "--duration=200ms", "--format=json"}, flags...)...)
	var result struct {
		Results []struct{ Target, Version string }
	}
	if err := json.Unmarshal([]byte(got.out), &result); err != nil || len(result.Results) != 1 || result.Results[0].Version != "2.0" {
		t.Errorf("afterwards is measured: %v, %+v", err, got)
	}
	checkList(t, flags, "latest", "tiny +1.0 +2.0 +asyncio")
}

// checkUpgradeCampaign reads the campaign after the first.
func checkUpgradeCampaign(t *testing.T, flags []string, verdict string) {
	t.Helper()
	got := restbench(t.Context(), t, append([]string{"report", "--campaign=2", "--format=json"}, flags...)...)
	var c compared
	if err := json.Unmarshal([]byte(got.out), &c); err != nil {
		t.Fatalf("%v: %+v", err, got)
	}
	if c.Campaign.Kind != "upgrade" || c.Campaign.Protocol.Name != "upgrade" || c.Verdict != verdict || c.A.Target != "tiny@latest (before)" ||
		c.B.Target != "tiny@latest" || len(c.Packages) != 1 || *c.Packages[0].A != "1.0" || *c.Packages[0].B != "2.0" {
		t.Errorf("the history has %s, want the verdict %s", got.out, verdict)
	}
}

// A framework whose requirements resolve to nothing is told once, in one line, and
// the others go on.
func TestAFrameworkThatDoesNotResolveHoldsUpNoOther(t *testing.T) {
	state := isolated(t)
	catalogue, _ := delayedFramework(t, state)
	file := besideAbsent(t, catalogue)
	d := startDaemon(t, state, file, "--frameworks.dir="+catalogue, "--log.level=debug")
	d.awaitCampaign()
	eventually(t, 2*time.Minute, "the index was asked three times", func() bool {
		return strings.Count(d.log.String(), "asking the package index") > 3
	})
	told := regexp.MustCompile(`(?m)^.*"message":"edition latest stays as it is".*$`).FindAllString(d.stop().err, -1)
	if len(told) != 1 || !strings.Contains(told[0], `"framework":"absent"`) || !strings.Contains(told[0], "resolve absent@latest: ") || strings.Contains(told[0], `\n`) {
		t.Errorf("told: %s", told)
	}
	flags := []string{"--storage.path=" + state, "--config.file=" + file, "--frameworks.dir=" + catalogue}
	checkList(t, flags, "latest (asked ", "absent +not resolved yet +asyncio")
	checkList(t, flags, "latest (asked ", "tiny +1.0 +1.0 +asyncio")
}

// besideAbsent adds a framework that no index has, and measures it before tiny.
func besideAbsent(t *testing.T, catalogue string) (file string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(catalogue, "absent"), 0o755); err != nil {
		t.Fatal(err)
	}
	rewrite(t, filepath.Join(catalogue, "absent", "app.py"), delayedApp)
	rewrite(t, filepath.Join(catalogue, "absent", "framework.yaml"), strings.ReplaceAll(fmt.Sprintf(delayedManifest, "absent", "absent"), ": tiny", ": absent"))
	file = latestFile(t, "@yearly")
	rewrite(t, file, strings.Replace(read(t, file), "[tiny]", "[absent, tiny]", 1))
	return file
}

// A proxy that cannot serve one package holds up no other framework; one that serves
// nobody is an index that cannot be reached. Both are told once.
func TestAProxyThatCannotServe(t *testing.T) {
	state := isolated(t)
	catalogue, _ := delayedFramework(t, state)
	file := besideAbsent(t, catalogue)
	var all atomic.Bool
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if all.Load() || strings.Contains(r.URL.Path, "absent") {
			w.WriteHeader(http.StatusGatewayTimeout)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(proxy.Close)
	t.Setenv("UV_DEFAULT_INDEX", proxy.URL+"/simple")
	t.Setenv("UV_HTTP_RETRIES", "0")
	d := startDaemon(t, state, file, "--frameworks.dir="+catalogue, "--log.level=debug")
	asked := func() int { return strings.Count(d.log.String(), "asking the package index") }
	eventually(t, 2*time.Minute, "the index was asked three times", func() bool { return asked() > 3 })
	if !hasLocked(state, "tiny==1.0 ") {
		t.Error("the framework behind it was not asked for")
	}
	told := func(text string) int { return strings.Count(d.log.String(), text) }
	const alone, nobody = `"message":"edition latest stays as it is"`, "the package index cannot be reached"
	if told(alone) != 1 || told(nobody) != 0 {
		t.Errorf("told %d and %d times", told(alone), told(nobody))
	}
	all.Store(true)
	before := asked()
	eventually(t, 2*time.Minute, "the index was asked three times more", func() bool { return asked() > before+3 })
	log := d.stop().err
	if strings.Count(log, alone) != 1 || strings.Count(log, nobody) != 1 {
		t.Errorf("told:\n%s", log)
	}
}
