package gvisor

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Names of what lies in the folder of a run.
const (
	bundleDir = "bundle" // as the OCI's runtime specification has it
	stateDir  = "state"  // runsc's own
	rootDir   = "rootfs" // in the bundle
)

// runPrefix begins the name of every folder of a run.
const runPrefix = "run-"

// folder makes the folder of a run in dir, and removes those that killed runs have left there. The
// lock on it is held until the descriptor is closed, and so while this process lives.
func folder(dir string) (path string, lock *os.File, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", nil, err
	}
	// Or another run could sweep ours away before it has its lock.
	all, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	defer all.Close()
	if err := unix.Flock(int(all.Fd()), unix.LOCK_EX); err != nil {
		return "", nil, err
	}
	sweep(dir)
	path, err = os.MkdirTemp(dir, runPrefix)
	if err != nil {
		return "", nil, err
	}
	if lock, err = lockFolder(path); err != nil {
		os.RemoveAll(path)
		return "", nil, err
	}
	return path, lock, nil
}

// sweep removes the folders of runs that have ended. One that cannot be removed is only untidy.
func sweep(dir string) {
	old, _ := filepath.Glob(filepath.Join(dir, runPrefix+"*"))
	for _, path := range old {
		if lock, err := lockFolder(path); err == nil {
			os.RemoveAll(path)
			lock.Close()
		}
	}
}

func lockFolder(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// lay makes the bundle of a sandbox whose first process is the guest program: a root filesystem
// with the program and the empty folders that it mounts on.
func lay(bundle, program string, env []string) error {
	root := filepath.Join(bundle, rootDir)
	for _, dir := range []string{"proc", "dev", "tmp", "world"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	if err := place(program, filepath.Join(root, "init")); err != nil {
		return err
	}
	b, err := json.Marshal(config(env))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(bundle, "config.json"), b, 0o644)
}

// place links the program to a path, or copies it where it lies on another filesystem.
func place(program, path string) error {
	if err := os.Link(program, path); err == nil || errors.Is(err, os.ErrNotExist) {
		return err
	}
	from, err := os.Open(program)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if e := to.Close(); err == nil {
		err = e
	}
	return err
}

// spec is what runsc reads of an OCI bundle, as far as this package says anything; see config.md
// of the runtime specification.
type spec struct {
	Version  string    `json:"ociVersion"`
	Process  process   `json:"process"`
	Root     root      `json:"root"`
	Hostname string    `json:"hostname"`
	Linux    linuxSpec `json:"linux"`
}

type process struct {
	Args         []string            `json:"args"`
	Env          []string            `json:"env"`
	Cwd          string              `json:"cwd"`
	Capabilities map[string][]string `json:"capabilities"`
}

type root struct {
	Path string `json:"path"`
}

type linuxSpec struct {
	Namespaces []namespace `json:"namespaces"`
}

type namespace struct {
	Type string `json:"type"`
}

// config is a first process with all there is to have: it is the init of the sandbox's machine.
func config(env []string) spec {
	s := spec{
		Version: "1.2.0", Hostname: "pivotspec",
		Process: process{Args: []string{"/init"}, Env: append([]string{"PATH=/"}, env...), Cwd: "/", Capabilities: map[string][]string{}},
		Root:    root{Path: rootDir},
	}
	for _, set := range []string{"bounding", "effective", "inheritable", "permitted", "ambient"} {
		s.Process.Capabilities[set] = capabilities()
	}
	for _, t := range []string{"pid", "mount", "ipc", "uts"} {
		s.Linux.Namespaces = append(s.Linux.Namespaces, namespace{t})
	}
	return s
}

// capabilities are the names of all, in the order of their numbers.
func capabilities() []string {
	names := strings.Fields(`CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
		NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE
		SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL
		SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ`)
	for i := range names {
		names[i] = fmt.Sprintf("CAP_%s", names[i])
	}
	return names
}
