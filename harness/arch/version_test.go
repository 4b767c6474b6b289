package arch

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOlder(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"7.2.22", "10.0", true}, {"10.0.2", "10.0", false}, {"10.0", "10.0", false}, {"9.2", "10.0", true},
		{"10", "10.0", true}, {"11.0", "10.0", false}, {"10.1", "10.0.9", false},
	} {
		if got := older(c.a, c.b); got != c.want {
			t.Errorf("older(%s, %s) = %v", c.a, c.b, got)
		}
	}
}

// TestLeastQEMU: a version that is needed is asked of the program itself.
func TestLeastQEMU(t *testing.T) {
	a := &Arch{Name: "loong64", QEMU: QEMU{Binary: "qemu-system-fake", Package: "qemu-system-misc", Least: "10.0", Newer: "Debian 13"}}
	for _, c := range []struct{ name, says, want string }{
		{"new", "QEMU emulator version 10.0.2 (Debian 1:10.0.2)", ""},
		{"old", "QEMU emulator version 7.2.22", "needs qemu-system-fake 10.0 or newer, and this machine's is 7.2.22; install the package qemu-system-misc of version 10.0 or newer, which Debian 13 have"},
		{"something else", "hello", "does not say its version"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "qemu-system-fake"), []byte("#!/bin/sh\necho '"+c.says+"'\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
			path, err := a.FindQEMU()
			if c.want == "" {
				if err != nil || path == "" {
					t.Errorf("%q, %v", path, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v", err)
			}
			if old := (*OldQEMUError)(nil); errors.As(err, &old) != (c.name == "old") {
				t.Errorf("%T", err)
			}
		})
	}
}

// TestABIs: guests are shared by the name of their ABI, so one name is one way to build.
func TestABIs(t *testing.T) {
	tab, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]map[string]string{}
	for _, name := range tab.Names() {
		a, err := tab.Arch(name)
		if err != nil {
			t.Fatal(err)
		}
		if a.ABIs[0].Name != name {
			t.Errorf("%s: its own ABI is called %s", name, a.ABIs[0].Name)
		}
		for _, b := range a.ABIs {
			if have, ok := env[b.Name]; ok && !maps.Equal(have, b.Env) {
				t.Errorf("ABI %s of %s is built otherwise than elsewhere: %v and %v", b.Name, name, b.Env, have)
			}
			env[b.Name] = b.Env
		}
	}
}

func TestMemoryFor(t *testing.T) {
	a := &Arch{Memory: 256, Flavours: map[string]int{"arm64-16k": 512}}
	for release, want := range map[string]int{"7.3.4+deb13-arm64-16k": 512, "7.3.4+deb13-cloud-arm64": 256, "arm64-16k": 256, "": 256} {
		if got := a.MemoryFor(release); got != want {
			t.Errorf("%q gets %d MiB, want %d", release, got, want)
		}
	}
}
