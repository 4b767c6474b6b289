package arch

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestLoad(t *testing.T) {
	tab, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range tab.Names() {
		a, err := tab.Arch(name)
		if err != nil {
			t.Fatal(err)
		}
		budget := map[string]int{"ppc64el": 512, "loong64": 512}[name] // the rows say why
		if budget == 0 {
			budget = 256
		}
		if a.Memory > budget {
			t.Errorf("%s: a guest gets %d MiB; the budget is %d", name, a.Memory, budget)
		}
		for _, x := range a.Accels {
			if _, err := tab.Accel(x); err != nil {
				t.Error(err)
			}
		}
	}
	a, err := tab.Arch("amd64")
	if err != nil {
		t.Fatal(err)
	}
	if !a.Native("amd64") || a.Native("arm64") {
		t.Error("amd64 must be native to GOARCH amd64 and to nothing else")
	}
	if b, err := a.ABI("i386"); err != nil || b.Env["GOARCH"] != "386" {
		t.Errorf("ABI i386 = %v, %v", b, err)
	}
}

func TestUnknown(t *testing.T) {
	tab, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	a, _ := tab.Arch("amd64")
	for _, c := range []struct {
		want string
		get  func() error
	}{
		{`unknown architecture "vax"; known: amd64, arm64, armhf, i386, loong64, mips64el, ppc64el, riscv64, s390x`, func() error { _, err := tab.Arch("vax"); return err }},
		{`unknown accelerator "hvf"; known: kvm, tcg`, func() error { _, err := tab.Accel("hvf"); return err }},
		{`unknown ABI "x32"; known: amd64, i386`, func() error { _, err := a.ABI("x32"); return err }},
	} {
		err := c.get()
		var u *UnknownError
		if !errors.As(err, &u) || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestFindQEMU(t *testing.T) {
	a := &Arch{Name: "vax", QEMU: QEMU{Binary: "qemu-system-vax", Package: "qemu-system-misc"}}
	_, err := a.FindQEMU()
	var n *NoQEMUError
	if !errors.As(err, &n) || !errors.Is(err, exec.ErrNotFound) {
		t.Fatalf("got %v, want a NoQEMUError", err)
	}
	if !strings.HasSuffix(err.Error(), "install the package qemu-system-misc") {
		t.Errorf("the message does not say what to install: %v", err)
	}
}

// TestFindFirmware: it lies beside QEMU's other files, wherever QEMU is and by whatever name it is called.
func TestFindFirmware(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"opt/bin", "opt/share/qemu/folder.rom", "bin"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	qemu, rom := filepath.Join(dir, "opt/bin/qemu"), filepath.Join(dir, "opt/share/qemu/quick.rom")
	for _, f := range []string{qemu, rom} {
		if err := os.WriteFile(f, nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(dir, "bin/qemu")
	if err := os.Symlink(qemu, link); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ firmware, path, want string }{
		{"quick.rom", qemu, rom},
		{"quick.rom", link, rom},
		{"other.rom", qemu, ""},
		{"folder.rom", qemu, ""},
		{"quick.rom", filepath.Join(dir, "none"), ""},
		{"", qemu, ""},
	} {
		a := &Arch{QEMU: QEMU{Firmware: tt.firmware}}
		if got := a.FindFirmware(tt.path); got != tt.want {
			t.Errorf("%q of %s: got %q, want %q", tt.firmware, tt.path, got, tt.want)
		}
	}
}

func TestParseReportsEveryMistake(t *testing.T) {
	_, err := Parse([]byte(`
- name: a
  qemu: {binary: q, least: new}
  boot: floppy
  accels: [warp]
- name: a
`), []byte(`
- {name: kvm, args: [-accel, kvm], scale: 0}
`))
	if err == nil {
		t.Fatal("a wrong table was accepted")
	}
	for _, want := range []string{
		`appears twice`, `boot is "floppy"`, `accelerator "warp" is not in the table`,
		`has no qemu.package`, `has no console`, `memory is 0`, `limits are`, `has no ABIs`, `qemu.least is "new"`, `scale is 0`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %q in:\n%v", want, err)
		}
	}
	if _, err := Parse([]byte("- {name: a, colour: red}"), accelsYAML); err == nil {
		t.Error("an unknown field was accepted")
	}
}

func TestUsable(t *testing.T) {
	tab, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	a, _ := tab.Arch("amd64")
	tcg, _ := tab.Accel("tcg")
	if err := tcg.Usable(a, "riscv64"); err != nil {
		t.Errorf("tcg must be usable everywhere: %v", err)
	}
	kvm, _ := tab.Accel("kvm")
	if err := kvm.Usable(a, "riscv64"); err == nil {
		t.Error("kvm for amd64 guests usable on a riscv64 host")
	}
	gone := *kvm
	gone.Device = "/nonexistent/kvm"
	if err := gone.Usable(a, "amd64"); err == nil {
		t.Error("kvm usable without its device")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(archsYAML, accelsYAML)
	f.Add([]byte("- {name: a}"), []byte("- {name: x, args: [y], scale: 1}"))
	f.Add([]byte("- ~"), []byte("- ~"))
	f.Fuzz(func(t *testing.T, archs, accels []byte) {
		tab, err := Parse(archs, accels)
		if err != nil {
			return
		}
		for _, n := range tab.Names() {
			if a, err := tab.Arch(n); err != nil || a.ABIs[0].Name == "" {
				t.Fatalf("accepted a table with a useless row %q", n)
			}
		}
	})
}
