package gvisor

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"pivotspec/harness/backend"
)

// pinFolder is the folder of the pin in the source tree.
const pinFolder = "harness/gvisor/runsc"

// pin is what runsc is built from.
type pin struct {
	dir     string // of the pinning module
	version string // of gVisor's module
	key     string // of the program: every byte of the pin, and the architecture
}

// findPin looks for the pin in the source tree that holds the folder source.
func findPin(source string) (*pin, error) {
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		return nil, missing("gVisor runs on amd64 and arm64 only, and this machine is "+runtime.GOARCH, "leave gvisor out", nil)
	}
	dir, err := filepath.Abs(source)
	if err != nil {
		return nil, err
	}
	const install = "run pivotspec in its source tree"
	for {
		at := filepath.Join(dir, pinFolder)
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return readPin(at)
		}
		if filepath.Dir(dir) == dir {
			return nil, missing("there is no "+pinFolder+"/go.mod, which says what runsc is built from", install, nil)
		}
		dir = filepath.Dir(dir)
	}
}

func readPin(dir string) (*pin, error) {
	p := &pin{dir: dir}
	h := sha256.New()
	fmt.Fprintln(h, runtime.GOARCH, buildArgs)
	const restore = "restore it from the repository"
	for _, name := range []string{"go.mod", "go.sum"} {
		path := filepath.Join(dir, name)
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, missing("the pin of runsc cannot be read", restore, err)
		}
		fmt.Fprintln(h, len(b))
		h.Write(b)
		if name != "go.mod" {
			continue
		}
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); slices.Contains(f, Module) {
				p.version = f[min(slices.Index(f, Module)+1, len(f)-1)]
			}
		}
	}
	if !strings.HasPrefix(p.version, "v") {
		return nil, missing(filepath.Join(dir, "go.mod")+" does not require "+Module, restore, nil)
	}
	p.key = hex.EncodeToString(h.Sum(nil))[:16]
	return p, nil
}

// kernel is what is known of gVisor's kernel before it has run.
func (p *pin) kernel() backend.Kernel {
	return backend.Kernel{Package: Module, PackageVersion: p.version}
}

// buildArgs are those of go build but for the output. The paths of this machine are left out, and
// the C compiler, so that the program is the same wherever it is built.
var buildArgs = [...]string{"-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", Module + "/runsc"}

// patience is how long an interrupted build may take to end.
const patience = 5 * time.Second

// path is where the cache keeps the program.
func (b *Backend) path(p *pin) string { return filepath.Join(b.Dir, "runsc-"+p.key) }

// build returns the path of the program, which it builds unless it is there.
func (b *Backend) build(ctx context.Context, p *pin, doing func(what string)) (string, error) {
	path := b.path(p)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(b.Dir, 0o755); err != nil {
		return "", missing("runsc cannot be kept in the cache", "make it writable, or choose another folder with --cache", err)
	}
	// One at a time: a second run that wants the same waits for the first.
	lock, err := os.OpenFile(filepath.Join(b.Dir, "runsc.lock"), os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return "", missing("runsc cannot be kept in the cache", "make it writable, or choose another folder with --cache", err)
	}
	defer lock.Close()
	doing(fmt.Sprintf("building runsc of gVisor %s, once: it takes a minute or several", p.version))
	if err := waitLock(ctx, lock); err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	gocmd := b.Go
	if gocmd == "" {
		gocmd = "go"
	}
	if gocmd, err = exec.LookPath(gocmd); err != nil {
		return "", missing("runsc is built from its Go module, and there is no go command", "install Go, or leave gvisor out", nil)
	}
	work, err := os.MkdirTemp(b.Dir, ".new-")
	if err != nil {
		return "", missing("runsc cannot be kept in the cache", "make it writable, or choose another folder with --cache", err)
	}
	defer os.RemoveAll(work)
	made := filepath.Join(work, "runsc")
	cmd := exec.CommandContext(ctx, gocmd, append([]string{"build", "-o", made}, buildArgs[:]...)...)
	cmd.Dir = p.dir
	// An interrupt, to all compilers at once, has the go command remove its temporary files.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = patience
	// The pin decides, and nothing that this user has set for other modules.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH, "GOWORK=off", "GOFLAGS=", "PWD="+p.dir)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return "", missing("runsc "+p.version+" cannot be built", "the first time needs the network, for Go modules: try again with it, or leave gvisor out", errors.New(complaint(&out, err)))
	}
	if err := os.Rename(made, path); err != nil {
		return "", missing("runsc cannot be kept in the cache", "make it writable, or choose another folder with --cache", err)
	}
	return path, nil
}

// waitLock takes an exclusive lock on a file.
func waitLock(ctx context.Context, f *os.File) error {
	got := make(chan error, 1)
	go func() {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX)
		for errors.Is(err, unix.EINTR) {
			err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
		}
		got <- err
	}()
	select {
	case err := <-got:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// complaint is the line of the go command's output that says most: the first that is no progress.
func complaint(out io.Reader, err error) string {
	s := bufio.NewScanner(out)
	for s.Scan() {
		line := strings.TrimSpace(s.Text())
		if line != "" && !strings.HasPrefix(line, "go: downloading ") && !strings.HasPrefix(line, "#") {
			return line
		}
	}
	return err.Error()
}

func uid() string { return strconv.Itoa(os.Geteuid()) }
