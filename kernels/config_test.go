package kernels

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseConfig(t *testing.T) {
	c, err := ParseConfig([]byte("CONFIG_A=y\r\n# CONFIG_B is not set\nCONFIG_C=m\nCONFIG_D=0x10\nCONFIG_E=\n NONSENSE=y\nCONFIG_F-G=y\nCONFIG_H=\"y\""))
	if err != nil || len(c) != 4 || !c.BuiltIn("CONFIG_A") || c.BuiltIn("CONFIG_B") || c.BuiltIn("CONFIG_C") || c["CONFIG_D"] != "0x10" || c.BuiltIn("CONFIG_H") {
		t.Errorf("%v, %v", c, err)
	}
	for _, bad := range []string{"", "hello\n", "# CONFIG_B is not set\n", strings.Repeat("CONFIG_A=y\n", maxConfig/10)} {
		if _, err := ParseConfig([]byte(bad)); err == nil {
			t.Errorf("%.40q is a configuration", bad)
		}
	}
}

func TestReadConfig(t *testing.T) {
	p := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(p, []byte("CONFIG_A=y\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if c, err := (Kernel{Config: p}).ReadConfig(); err != nil || !c.BuiltIn("CONFIG_A") {
		t.Errorf("%v, %v", c, err)
	}
	if c, err := (Kernel{}).ReadConfig(); err != nil || c != nil {
		t.Errorf("%v, %v", c, err)
	}
	if _, err := (Kernel{Config: filepath.Dir(p)}).ReadConfig(); err == nil {
		t.Error("a folder is a configuration")
	}
}

func TestFits(t *testing.T) {
	for head, want := range map[string]bool{
		"#\n# Automatically generated file; DO NOT EDIT.\n# Linux/x86 6.1.176 Kernel Configuration\n": true,
		"# Linux/x86_64 6.1.0-rc3 Kernel Configuration\n":                                             true,
		"# Linux/x86 6.12.1 Kernel Configuration\n":                                                   false,
		"CONFIG_A=y\n": false,
		"":             false,
	} {
		p := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(p, []byte(head), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := fits(p, "6.1"); got != want {
			t.Errorf("%q: %v", head, got)
		}
	}
}

func TestIKConfig(t *testing.T) {
	for _, at := range []int{0, 1, 1<<20 - 5, 1<<20 - 1, 1 << 20, 2<<20 - 20} {
		b := withConfig(make([]byte, at))
		if c, err := ikconfig(bytes.NewReader(b), int64(len(b))); err != nil || string(c) != someConfig {
			t.Errorf("at %d: %q, %v", at, c, err)
		}
	}
	bomb := gzipPayload([]byte("CONFIG_A=y\n" + strings.Repeat("#\n", maxConfig)))
	for name, b := range map[string][]byte{
		"none":       []byte("IKCFG_ST and no more"),
		"cut short":  withConfig(nil)[:40],
		"too big":    append([]byte("IKCFG_ST"), bomb...),
		"other text": append([]byte("IKCFG_ST"), gzipPayload([]byte("hello"))...),
	} {
		if c, err := ikconfig(bytes.NewReader(b), int64(len(b))); c != nil || err != nil {
			t.Errorf("%s: %q, %v", name, c, err)
		}
	}
}

func FuzzIKConfig(f *testing.F) {
	f.Add(withConfig([]byte("kernel")))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ikconfig(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		if c != nil {
			if _, err := ParseConfig(c); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(someConfig))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseConfig(b)
		for k, v := range c {
			if err != nil || !strings.HasPrefix(k, "CONFIG_") || v == "" || strings.ContainsAny(k+v, "\n") {
				t.Fatalf("%q=%q, %v", k, v, err)
			}
		}
	})
}

func FuzzParseControl(f *testing.F) {
	f.Add("Package: a\nVersion: 1\nArchitecture: amd64\n\nPackage: b\n")
	f.Fuzz(func(t *testing.T, s string) {
		c := parseControl(s)
		if strings.ContainsAny(c.Name+c.Version+c.Arch, "\n") {
			t.Fatalf("%+v", c)
		}
	})
}
