package kernels

import (
	"errors"
	"strings"
	"testing"
)

func load(t testing.TB) *Catalogue {
	t.Helper()
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefault(t *testing.T) {
	var names []string
	for _, e := range load(t).Default("") {
		names = append(names, e.Name)
	}
	if got, want := strings.Join(names, " "), "5.10 6.1 6.12 6.16 6.17 6.18 6.19 7.0 7.1 7.2 7.3"; got != want {
		t.Errorf("default matrix = %s, want %s", got, want)
	}
	if d := load(t).Default("vax"); len(d) != 0 {
		t.Errorf("a default matrix for vax: %v", d)
	}
}

func TestLookup(t *testing.T) {
	c := testCatalogue(t, "",
		"{series: '6.12', arch: arm64, flavour: cloud-arm64, suites: [trixie], layout: whole}",
		"{series: '6.12', arch: amd64, flavour: cloud-amd64, suites: [trixie], layout: whole, default: true}",
		"{series: '6.12', arch: amd64, flavour: rt-amd64, suites: [trixie], layout: whole}",
		"{series: '6.1', arch: amd64, flavour: cloud-amd64, suites: [bookworm], layout: whole}",
		"{series: '7.3', arch: amd64, flavour: cloud-amd64, suites: [trixie-backports], layout: split}")
	tests := []struct{ ref, arch, want, near string }{
		{ref: "6.12", want: "6.12"},
		{ref: "6.12", arch: "amd64", want: "6.12"},
		{ref: "6.12", arch: "arm64", want: "6.12/arm64"},
		{ref: "6.12/arm64", arch: "amd64", want: "6.12/arm64"},
		{ref: "6.12-rt-amd64", want: "6.12-rt-amd64"},
		{ref: "6.12-cloud-amd64", want: "6.12"},
		{ref: "6.13", near: "6.12 6.1"},
		{ref: "6.12.107", near: "6.12"},
		{ref: "6.12.107+deb13-cloud-amd64", near: "6.12"},
		{ref: "7.3/arm64", near: "7.3"},
		{ref: "6.12/arm46", near: "6.12 6.12/arm64"},
		{ref: "7,3", near: "7.3"},
		{ref: "frobnicate"},
		{ref: ""},
	}
	for _, tt := range tests {
		e, err := c.Lookup(tt.ref, tt.arch)
		if tt.want != "" {
			if err != nil || e.Name != tt.want {
				t.Errorf("Lookup(%q, %q) = %q, %v; want %q", tt.ref, tt.arch, e.Name, err, tt.want)
			}
			continue
		}
		var u *UnknownError
		if !errors.As(err, &u) || u.Ref != tt.ref {
			t.Errorf("Lookup(%q) = %v", tt.ref, err)
			continue
		}
		for _, w := range strings.Fields(tt.near) {
			if !strings.Contains(" "+strings.Join(u.Near, " ")+" ", " "+w+" ") {
				t.Errorf("Lookup(%q): near = %q, want %q in it", tt.ref, u.Near, w)
			}
		}
		if tt.near != "" && !strings.HasPrefix(tt.near, u.Near[0]) {
			t.Errorf("Lookup(%q): nearest = %q, want %q", tt.ref, u.Near[0], tt.near)
		}
		if tt.near == "" && len(u.Near) > 0 {
			t.Errorf("Lookup(%q): near = %q, want none", tt.ref, u.Near)
		}
	}
}

// All mistakes in a catalogue are reported at once.
func TestParseMistakes(t *testing.T) {
	text := string(catalogueYAML)
	head, _, _ := strings.Cut(text, "\nkernels:\n")
	_, err := Parse([]byte(head + `
kernels:
  - {series: six, arch: amd64, flavour: a, suites: [x], layout: whole}
  - {series: '6.1', arch: amd64, flavour: a, suites: [], layout: whole}
  - {series: '6.2', arch: amd64, flavour: a, suites: [x], layout: none}
  - {series: '6.3', arch: amd64, flavour: a, suites: ['x y'], layout: whole}
  - {series: '6.4', arch: amd64, flavour: a, suites: [x], layout: whole}
  - {series: '6.4', arch: amd64, flavour: b, suites: [x], layout: whole}
  - {series: '6.4', arch: amd64, flavour: b, suites: [x], layout: whole}
`))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`"six"`, "no suite", `no layout "none"`, `"x y"`, "a second 6.4-b"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not in:\n%v", want, err)
		}
	}
	if _, err := Parse([]byte("archs: amd64\n")); err == nil {
		t.Error("an unknown field is accepted")
	}
}

// Names as Debian's suites have them, for every architecture: adding one is adding rows.
func TestNewest(t *testing.T) {
	list := func(lines string) []candidate {
		var b strings.Builder
		for line := range strings.Lines(lines) {
			if f := strings.Fields(line); len(f) == 3 {
				b.WriteString("Package: " + f[0] + "\nVersion: " + f[1] + "\nArchitecture: " + f[2] + "\nDescription: x\n y\nSHA256: 00\n\n")
			}
		}
		cs, err := parseNamed(strings.NewReader(b.String()), "s", kernelPrefix)
		if err != nil {
			t.Fatal(err)
		}
		return cs
	}
	tests := []struct{ name, row, packages, want, release string }{
		{"newest by Debian's order, not by text", "{series: '5.10', arch: amd64, flavour: cloud-amd64, suites: [s], layout: whole}", `
			linux-image-5.10.0-30-cloud-amd64 5.10.218-1 amd64
			linux-image-5.10.0-9-cloud-amd64 5.10.70-1 amd64
			linux-image-5.10.0-32-cloud-amd64 5.10.223-1 amd64`, "linux-image-5.10.0-32-cloud-amd64", "5.10.0-32-cloud-amd64"},
		{"signed before unsigned", "{series: '6.1', arch: amd64, flavour: cloud-amd64, suites: [s], layout: whole}", `
			linux-image-6.1.0-50-cloud-amd64-unsigned 6.1.176-1 amd64
			linux-image-6.1.0-50-cloud-amd64 6.1.176-1 amd64`, "linux-image-6.1.0-50-cloud-amd64", "6.1.0-50-cloud-amd64"},
		{"a newer unsigned one", "{series: '6.1', arch: amd64, flavour: cloud-amd64, suites: [s], layout: whole}", `
			linux-image-6.1.0-47-cloud-amd64 6.1.170-1 amd64
			linux-image-6.1.0-50-cloud-amd64-unsigned 6.1.176-1 amd64`, "linux-image-6.1.0-50-cloud-amd64-unsigned", "6.1.0-50-cloud-amd64"},
		{"not another series or flavour", "{series: '6.1', arch: amd64, flavour: amd64, suites: [s], layout: whole}", `
			linux-image-6.12.107+deb13-amd64 6.12.107-1 amd64
			linux-image-6.1.0-51-cloud-amd64 6.1.177-1 amd64
			linux-image-6.1.0-51-rt-amd64 6.1.177-1 amd64
			linux-image-6.1.0-51-amd64-dbg 6.1.177-1 amd64
			linux-image-6.1.0-50-amd64 6.1.176-1 amd64`, "linux-image-6.1.0-50-amd64", "6.1.0-50-amd64"},
		{"not the metapackage", "{series: '7.3', arch: amd64, flavour: cloud-amd64, suites: [s], layout: split}", `
			linux-image-7.3.4+deb13-cloud-amd64 7.3.4-1~bpo13+1 amd64
			linux-binary-7.3.4+deb13-cloud-amd64 7.3.4-1~bpo13+1 amd64`, "linux-binary-7.3.4+deb13-cloud-amd64", "7.3.4+deb13-cloud-amd64"},
		{"final after release candidate", "{series: '7.3', arch: amd64, flavour: cloud-amd64, suites: [s], layout: split}", `
			linux-binary-7.3.1+deb14-cloud-amd64 7.3.1-1 amd64
			linux-binary-7.3-cloud-amd64 7.3~rc7-1~exp1 amd64`, "linux-binary-7.3.1+deb14-cloud-amd64", "7.3.1+deb14-cloud-amd64"},
		{"release candidate alone", "{series: '7.3', arch: amd64, flavour: cloud-amd64, suites: [s], layout: split}", `
			linux-binary-unsigned-7.3-cloud-amd64 7.3~rc7-1~exp1 amd64
			linux-binary-7.3-cloud-amd64 7.3~rc7-1~exp1 amd64`, "linux-binary-7.3-cloud-amd64", "7.3-cloud-amd64"},
		{"backport before its original", "{series: '6.12', arch: amd64, flavour: cloud-amd64, suites: [s], layout: whole}", `
			linux-image-6.12.12+bpo-cloud-amd64 6.12.12-1~bpo12+1 amd64
			linux-image-6.12.12-cloud-amd64 6.12.12-1 amd64`, "linux-image-6.12.12-cloud-amd64", "6.12.12-cloud-amd64"},
		{"none", "{series: '6.17', arch: amd64, flavour: cloud-amd64, suites: [s], layout: whole}", `
			linux-image-6.18.15+deb13-cloud-amd64 6.18.15-1~bpo13+1 amd64`, "", ""},
		{"arm64", "{series: '7.2', arch: arm64, flavour: cloud-arm64, suites: [s], layout: split}", `
			linux-binary-7.2.12+deb13-cloud-amd64 7.2.12-1~bpo13+1 amd64
			linux-binary-unsigned-7.2.12+deb13-cloud-arm64 7.2.12-1~bpo13+1 arm64`, "linux-binary-unsigned-7.2.12+deb13-cloud-arm64", "7.2.12+deb13-cloud-arm64"},
		{"armhf", "{series: '6.12', arch: armhf, flavour: armmp, suites: [s], layout: whole}",
			"linux-image-6.12.107+deb13-armmp 6.12.107-1 armhf\nlinux-image-6.12.107+deb13-armmp-lpae 6.12.107-1 armhf", "linux-image-6.12.107+deb13-armmp", "6.12.107+deb13-armmp"},
		{"i386", "{series: '6.1', arch: i386, flavour: 686-pae, suites: [s], layout: whole}",
			"linux-image-6.1.0-50-686-pae 6.1.176-1 i386\nlinux-image-6.1.0-50-686 6.1.176-1 i386", "linux-image-6.1.0-50-686-pae", "6.1.0-50-686-pae"},
		{"ppc64el", "{series: '6.12', arch: ppc64el, flavour: powerpc64le, suites: [s], layout: whole}",
			"linux-image-6.12.107+deb13-powerpc64le 6.12.107-1 ppc64el", "linux-image-6.12.107+deb13-powerpc64le", "6.12.107+deb13-powerpc64le"},
		{"mips64el", "{series: '6.1', arch: mips64el, flavour: 5kc-malta, suites: [s], layout: whole}",
			"linux-image-6.1.0-50-5kc-malta 6.1.176-1 mips64el", "linux-image-6.1.0-50-5kc-malta", "6.1.0-50-5kc-malta"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := testCatalogue(t, "", tt.row).All()[0]
			c, ok := newest(e, list(tt.packages))
			if ok != (tt.want != "") || c.Package != tt.want || c.Release != tt.release {
				t.Errorf("newest = %+v, want %s %s", c, tt.want, tt.release)
			}
		})
	}
}
