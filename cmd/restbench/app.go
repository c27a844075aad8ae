//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/alecthomas/kingpin/v2"
)

// action carries out a parsed command.
type action func(ctx context.Context) error

// session is what the flags that all commands share have said.
type session struct {
	streams
	configFile     string
	storagePath    string
	frameworksDirs []string
	pythons        []string
	campaignLock   string
	logLevel       string
	logFormat      string
}

// parse reads the command line and returns what is to be done.
func parse(args []string, io streams) (action, error) {
	app := kingpin.New("restbench", "Measures how many requests per second REST framework servers answer, in round robin, and how sure that is.")
	app.UsageWriter(io.out).ErrorWriter(io.err).Terminate(func(code int) { panic(exit(code)) })
	app.Version(versionText()).HelpFlag.Short('h')
	s := &session{streams: io}
	s.flags(app)
	actions := map[string]action{}
	for _, register := range []func(*kingpin.Application, *session) (string, action){
		registerServe, registerRun, registerCompare, registerReport, registerLoad, registerList,
		registerInstall, registerLock, registerCheck, registerDetect, registerAccept, registerAssets, registerHealthcheck,
	} {
		name, do := register(app, s)
		actions[name] = do
	}
	name, err := app.Parse(fillIn(args))
	if err != nil {
		return nil, &usageError{err}
	}
	return actions[name], nil
}

func (s *session) flags(app *kingpin.Application) {
	app.Flag("config.file", "Configuration file (YAML). Without one the defaults hold.").PlaceHolder("FILE").StringVar(&s.configFile)
	app.Flag("storage.path", "Folder for the history, the environments and uv.").Default(defaultState()).StringVar(&s.storagePath)
	app.Flag("frameworks.dir", "Folder with further frameworks; repeatable.").PlaceHolder("DIR").StringsVar(&s.frameworksDirs)
	app.Flag("python", "Path of a Python interpreter to consider first; repeatable.").PlaceHolder("PATH").StringsVar(&s.pythons)
	app.Flag("campaign.lock", "File that makes campaigns on this machine wait for each other.").Hidden().
		Envar("RESTBENCH_CAMPAIGN_LOCK").Default("/tmp/restbench-campaign.lock").StringVar(&s.campaignLock)
	app.Flag("log.level", "Only log messages of this severity or above: debug, info, warn, error.").Default("info").EnumVar(&s.logLevel, "debug", "info", "warn", "error")
	app.Flag("log.format", "Format of log messages: console or json; console on a terminal, json elsewhere.").PlaceHolder("FORMAT").EnumVar(&s.logFormat, "console", "json")
}

// defaultState follows the XDG base directory specification.
func defaultState() string {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "restbench")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return filepath.Join(os.TempDir(), "restbench")
	}
	return filepath.Join(home, ".local", "state", "restbench")
}
