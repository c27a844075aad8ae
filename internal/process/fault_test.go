package process

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// faultCommand makes the test binary a server with a fault.
const faultCommand = "__fault"

// fault runs one mode: MODE PORT [ARGUMENT].
func fault(args []string) int {
	mode, port := args[0], args[1]
	argument := ""
	if len(args) > 2 {
		argument = args[2]
	}
	modes := map[string]func(port, argument string) int{
		"ok": serveOK, "slow": serveSlowly, "unready": serveUnready, "silent": block, "exit": exitWith,
		"hang": acceptOnly, "deaf": serveDeaf, "workers": serveByWorkers, "worker": work, "escape": serveEscaped,
		"escaping": escaping, "escaped": escaped, "flood": flood, "unlucky": failOnce, "decoy": decoy,
		"burn": func(string, string) int { return burn() }, "hold": holdOutput, "holding": block, "late": crashLate,
		"echo": echo, "big": big, "pool": serveByPool,
	}
	return modes[mode](port, argument)
}

func self(args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", append([]string{faultCommand}, args...)...)
	cmd.Stderr = os.Stderr
	return cmd
}

func serve(port string, pids ...int) int {
	l, err := net.Listen("tcp4", "127.0.0.1:"+port)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return answer(l, pids)
}

func answer(l net.Listener, pids []int) int {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, os.Getpid())
		for _, pid := range pids {
			fmt.Fprint(w, " ", pid)
		}
	})
	mux.HandleFunc("/crash", func(http.ResponseWriter, *http.Request) {
		fmt.Fprintln(os.Stderr, "it hurts")
		os.Exit(3)
	})
	mux.HandleFunc("/env", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.Join(os.Environ(), "\n"))
	})
	mux.HandleFunc("/cpus", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, allowedCPUs()) })
	mux.HandleFunc("/files", func(w http.ResponseWriter, _ *http.Request) {
		for _, fd := range numbers("/proc/self/fd") {
			link, _ := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
			fmt.Fprintln(w, link)
		}
	})
	mux.HandleFunc("/burn-thread", func(http.ResponseWriter, *http.Request) { inDyingThread(func() { burn() }) })
	mux.HandleFunc("/burn", func(http.ResponseWriter, *http.Request) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		burn()
	})
	mux.HandleFunc("/child", func(w http.ResponseWriter, _ *http.Request) {
		child := self("holding", "0")
		if child.Start() == nil {
			fmt.Fprint(w, child.Process.Pid)
			go func() { _ = child.Wait() }()
		}
	})
	mux.HandleFunc("/burn-child", func(http.ResponseWriter, *http.Request) { _ = self("burn", "0").Run() })
	_ = http.Serve(l, mux)
	return 1
}

func serveOK(port, _ string) int { return serve(port) }

func serveSlowly(port, _ string) int {
	time.Sleep(300 * time.Millisecond)
	return serve(port)
}

func serveUnready(port, _ string) int {
	l, err := net.Listen("tcp4", "127.0.0.1:"+port)
	if err != nil {
		return 1
	}
	_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }))
	return 1
}

func block(string, string) int {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGUSR1) // else this is a deadlock to the runtime
	select {}
}

func exitWith(_, status string) int {
	fmt.Fprint(os.Stderr, "Traceback (most recent call last):\n\x1b[31mModuleNotFoundError\x1b[0m: No module\x07 named 'x'\n")
	n, _ := strconv.Atoi(status)
	return n
}

func acceptOnly(port, _ string) int {
	if _, err := net.Listen("tcp4", "127.0.0.1:"+port); err != nil {
		return 1
	}
	return block("", "")
}

func serveDeaf(port, _ string) int {
	signal.Ignore(syscall.SIGTERM)
	return serve(port)
}

// listening is a socket that can be handed to others.
func listening(port string) (*os.File, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:"+port)
	if err != nil {
		return nil, err
	}
	return l.(*net.TCPListener).File()
}

// serveByWorkers hands its socket to a worker, as pre-forking servers do. The
// worker does not notice when its parent dies.
func serveByWorkers(port, _ string) int {
	socket, err := listening(port)
	if err != nil {
		return 1
	}
	worker := self("worker", port)
	worker.ExtraFiles = []*os.File{socket}
	if worker.Start() != nil {
		return 1
	}
	_ = worker.Wait()
	return 0
}

// serveByPool hands its socket to two workers. It replaces those that end, or does not
// even wait for them.
func serveByPool(port, argument string) int {
	socket, err := listening(port)
	if err != nil {
		return 1
	}
	keep := func() {
		for {
			worker := self("worker", port)
			worker.ExtraFiles = []*os.File{socket}
			if worker.Start() != nil || argument == "forget" {
				return
			}
			_ = worker.Wait()
		}
	}
	for range 2 {
		go keep()
	}
	return block("", "")
}

func work(string, string) int {
	signal.Ignore(syscall.SIGTERM)
	l, err := net.FileListener(os.NewFile(3, "socket"))
	if err != nil {
		return 1
	}
	return answer(l, []int{os.Getppid()})
}

// serveEscaped serves, while a grandchild lives on in a session of its own,
// without our environment, with its parent gone.
func serveEscaped(port, argument string) int {
	r, w, err := os.Pipe()
	if err != nil {
		return 1
	}
	middle := self("escaping", port, argument)
	middle.ExtraFiles = []*os.File{w}
	if middle.Run() != nil {
		return 1
	}
	_ = w.Close()
	var pid int
	if _, err := fmt.Fscan(r, &pid); err != nil {
		return 1
	}
	return serve(port, pid)
}

func escaping(port, argument string) int {
	last := self("escaped", port, argument)
	last.ExtraFiles = []*os.File{os.NewFile(3, "pipe")}
	last.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	last.Env = []string{}
	if argument == "marked" {
		last.Env = os.Environ()
	}
	if last.Start() != nil {
		return 1
	}
	return 0
}

func escaped(_, argument string) int {
	signal.Ignore(syscall.SIGTERM, syscall.SIGHUP)
	pipe := os.NewFile(3, "pipe")
	fmt.Fprintln(pipe, os.Getpid())
	if argument == "burn" {
		_ = pipe.Close()
		return burn()
	}
	return block("", "")
}

func flood(port, _ string) int {
	line := strings.Repeat("\x1b[1mflood", 2000)
	go func() {
		for {
			fmt.Fprint(os.Stderr, line)
		}
	}()
	return serve(port)
}

// failOnce finds its port taken the first time.
func failOnce(port, marker string) int {
	if _, err := os.Stat(marker); err == nil {
		return serve(port)
	}
	_ = os.WriteFile(marker, []byte(port), 0o600)
	fmt.Fprintln(os.Stderr, "OSError: [Errno 98] Address already in use")
	return 1
}

// decoy tells somebody else the port, who takes it.
func decoy(port, address string) int {
	_, _ = http.Get("http://" + address + "/?port=" + port)
	return block("", "")
}

// burnTime is how much processor time burn takes.
const burnTime = 200 * time.Millisecond

func burn() int {
	for begin := processorTime(stat{identity: identity{Pid: os.Getpid()}}); ; {
		if processorTime(stat{identity: identity{Pid: os.Getpid()}})-begin > burnTime {
			return 0
		}
	}
}

// inDyingThread runs f in a thread that is dead when it returns.
func inDyingThread(f func()) {
	ended := make(chan int)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if unix.Gettid() == os.Getpid() {
			inDyingThread(f) // in another: the main thread never ends
			runtime.UnlockOSThread()
			ended <- 0
			return
		}
		f()
		ended <- unix.Gettid()
	}()
	for thread := <-ended; thread != 0; runtime.Gosched() {
		if _, err := os.Stat("/proc/self/task/" + strconv.Itoa(thread)); err != nil {
			return
		}
	}
}

// holdOutput ends, while a child in a session of its own holds its stdout.
func holdOutput(string, string) int {
	child := self("holding", "0")
	child.Stdout = os.Stdout
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if child.Start() != nil {
		return 1
	}
	fmt.Println(child.Process.Pid)
	return 0
}

func crashLate(port, _ string) int {
	_, _ = os.Stdin.Read(make([]byte, 1)) // restbench gives /dev/null
	return serve(port)
}

func echo(string, string) int {
	_, _ = os.Stdout.ReadFrom(os.Stdin)
	fmt.Fprint(os.Stderr, allowedCPUs(), " ", os.Getenv("SOME_PROXY"), " ", os.Getenv("GIVEN"))
	return 0
}

func big(string, string) int {
	for range maxStdout/1024 + 1 {
		_, _ = os.Stdout.Write(make([]byte, 1024))
	}
	return 0
}

func allowedCPUs() string {
	var set unix.CPUSet
	_ = unix.SchedGetaffinity(0, &set)
	var list []string
	for cpu := range 1024 {
		if set.IsSet(cpu) {
			list = append(list, strconv.Itoa(cpu))
		}
	}
	return strings.Join(list, ",")
}
