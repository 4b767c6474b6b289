package kernels

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pierrec/lz4/v4"
)

func TestPickMirror(t *testing.T) {
	tests := []struct{ name, targets, want string }{
		{"by origin", "http://s.example/debian-security/|Debian|Debian-Security\nhttp://o.example/apt/|Other|x\nhttp://m.example/anything/|Debian|Debian\n", "http://m.example/anything"},
		{"backports will do", "http://m.example/debian/|Debian|Debian Backports\n", "http://m.example/debian"},
		{"before the first update", "http://o.example/apt/||\nhttp://s.example/debian-security/||\nhttp://m.example/debian/||\n", "http://m.example/debian"},
		{"a partial mirror that calls itself otherwise", "http://m.example/debian/|Debian|Mine\n", "http://m.example/debian"},
		{"another distribution", "http://m.example/ubuntu/|Ubuntu|Ubuntu\n", ""},
		{"another's archive in a folder debian", "http://o.example/debian/|Docker|Docker CE\n", ""},
		{"nothing", "", ""},
	}
	for _, tt := range tests {
		if got := pickMirror(tt.targets); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// What apt 2.6 said when each of these was provoked.
func TestAptFailure(t *testing.T) {
	tests := []struct {
		said string
		want Reason
	}{
		{"W: Failed to fetch http://x/InRelease  Temporary failure resolving 'x'\nW: Some index files failed to download. They have been ignored, or old ones used instead.", NoNetwork},
		{"W: Failed to fetch http://x/InRelease  Could not connect to x:80 (127.0.0.1). - connect (111: Connection refused)", NoNetwork},
		{"E: The repository 'http://x/debian gone Release' does not have a Release file.", NoSuite},
		{"W: Download is performed unsandboxed as root as file '/x' couldn't be accessed by user '_apt'. - pkgAcquire::Run (13: Permission denied)\nE: The repository 'http://x/debian gone Release' does not have a Release file.", NoSuite},
		{"E: Failed to fetch http://x/x.deb  Hash Sum mismatch", BadHash},
		{"E: Failed to fetch http://x/x.deb  File has unexpected size (12 != 34). Mirror sync in progress?", BadHash},
		{"E: Failed to fetch http://x/x.deb  404  Not Found [IP: 192.0.2.1 80]\nE: Failed to fetch some archives.", BadDownload},
		{"E: Failed to fetch http://x/x.deb  Error reading from server. Remote end closed connection", BadDownload},
		{"E: Write error - write (28: No space left on device)", NoSpace},
		{"E: Could not open lock file /x/lock - open (13: Permission denied)", Unwritable},
		{"E: The repository 'http://x/debian now InRelease' is not signed.", BadSignature},
		{"E: Something new", Failed},
		{"", Failed},
	}
	for _, tt := range tests {
		u := aptFailure(t.Context(), "`apt-get x`", tt.said, os.ErrInvalid)
		if u.Reason != tt.want || u.Do == "" || u.Happened == "" || strings.Contains(u.Happened, "unsandboxed") {
			t.Errorf("%q: %+v, want %s", tt.said, u, tt.want)
		}
	}
}

func TestReadPackages(t *testing.T) {
	text := "Package: libc6\nVersion: 1\nSHA256: aa\n\nPackage: linux-x\nVersion: 2:3-1\nArchitecture: amd64\nDescription: a\n b\nSize: 7\nSHA256: bb\n\nPackage: linux-incomplete\nVersion: 1"
	var z bytes.Buffer
	w := lz4.NewWriter(&z)
	w.Write([]byte(text))
	w.Close()
	dir := t.TempDir()
	for name, content := range map[string]string{"x_Packages": text, "x_Packages.lz4": z.String()} {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		cs, err := readPackages(p, "s")
		if err != nil || len(cs) != 1 || cs[0] != (candidate{Package: "linux-x", Version: "2:3-1", Arch: "amd64", Suite: "s", Size: 7, SHA256: "bb"}) {
			t.Errorf("%s: %+v, %v", name, cs, err)
		}
	}
	if f := (candidate{Package: "linux-x", Version: "2:3-1", Arch: "amd64"}).file(); f != "linux-x_2%3a3-1_amd64.deb" {
		t.Errorf("file = %s", f)
	}
}

// A line longer than the buffer is passed over and hides nothing.
func TestParsePackagesLongLine(t *testing.T) {
	text := "Package: linux-x\nVersion: 1\nX: " + strings.Repeat("x", 3<<20) + "\nSHA256: bb\n"
	if cs, err := parseNamed(strings.NewReader(text), "s", kernelPrefix); err != nil || len(cs) != 1 || cs[0].SHA256 != "bb" {
		t.Errorf("%+v, %v", cs, err)
	}
}

func FuzzParsePackages(f *testing.F) {
	f.Add([]byte("Package: linux-x\nVersion: 1\nSHA256: bb\n\n"))
	f.Add([]byte("Package: linux-x\nVersion: 1\n\n\nSHA256: bb"))
	f.Fuzz(func(t *testing.T, b []byte) {
		cs, err := parseNamed(bytes.NewReader(b), "s", kernelPrefix)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cs {
			if !strings.HasPrefix(c.Package, "linux-") || c.Version == "" || c.SHA256 == "" {
				t.Fatalf("%+v", c)
			}
			compareVersions(c.Version, "1.0-1")
		}
	})
}

func TestReadStatus(t *testing.T) {
	var got []float64
	readStatus(strings.NewReader("dlstatus:1:0.0000:x\ndlstatus:1:0.5:x\njunk\ndlstatus:2:50.1:x\npmstatus:x:99:y\ndlstatus:3:100:x\n"), func(p float64) { got = append(got, p) })
	if len(got) != 3 || got[0] != 0 || got[1] != 0.501 || got[2] != 1 {
		t.Errorf("%v", got)
	}
}
