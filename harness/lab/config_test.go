package lab

import (
	"slices"
	"strings"
	"testing"

	"pivotspec/kernels"
)

// TestBootable: a kernel that cannot run the guest is told by its configuration, and nothing is held
// against one that came without.
func TestBootable(t *testing.T) {
	l := open(t)
	a, err := l.Table.Arch("amd64")
	if err != nil {
		t.Fatal(err)
	}
	own, err := a.ABI("")
	if err != nil {
		t.Fatal(err)
	}
	i386, err := a.ABI("i386")
	if err != nil {
		t.Fatal(err)
	}
	options := append(guestNeeds(), "CONFIG_SERIAL_8250_CONSOLE")
	config := func(without ...string) kernels.Kernel {
		var text strings.Builder
		for _, o := range options {
			switch {
			case !slices.Contains(without, o):
				text.WriteString(o + "=y\n")
			case o == "CONFIG_TTY":
				text.WriteString(o + "=m\n")
			default:
				text.WriteString("# " + o + " is not set\n")
			}
		}
		return kernels.Kernel{Config: write(t, "config", []byte(text.String()))}
	}
	for _, o := range options {
		if err := bootable(config(o), a, own); err == nil || !strings.Contains(err.Error(), "without "+o+",") || strings.Contains(err.Error(), "\n") {
			t.Errorf("without %s: %v", o, err)
		}
	}
	for _, k := range []kernels.Kernel{config(), {}} {
		if err := bootable(k, a, own); err != nil {
			t.Error(err)
		}
	}
	if err := bootable(config(), a, i386); err == nil || !strings.Contains(err.Error(), "CONFIG_IA32_EMULATION") {
		t.Errorf("programs of i386: %v", err)
	}
	if err := bootable(config("CONFIG_DEVTMPFS", "CONFIG_BLK_DEV_INITRD"), a, own); err == nil || !strings.Contains(err.Error(), "without CONFIG_BLK_DEV_INITRD, CONFIG_DEVTMPFS, which") {
		t.Errorf("two are missing: %v", err)
	}
	if err := bootable(kernels.Kernel{Config: "/nowhere"}, a, own); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("its configuration is gone: %v", err)
	}
}

// TestConfigsOfTheCatalogue: no kernel of the catalogue that is on this machine is turned away.
func TestConfigsOfTheCatalogue(t *testing.T) {
	l, err := Open("", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range l.Catalogue.All() {
		k, ok := l.Store.Cached(e)
		if !ok || k.Config == "" {
			continue
		}
		a, err := l.Table.Arch(e.Arch)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range append([]string{""}, e.ABIs...) {
			abi, err := a.ABI(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := bootable(k, a, abi); err != nil {
				t.Errorf("%s %s: %v", e.Name, name, err)
			}
		}
	}
}
