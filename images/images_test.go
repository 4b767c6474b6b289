package images

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/u-root/u-root/pkg/cpio"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func sample() []Entry {
	return append(skeleton(),
		File("init", 0o755, []byte("#!/bin/true\n")),
		Symlink("bin/sh", "../init"),
		File("a/b/c/empty", 0o600, nil),
		Dir("tmp", 0o1777),
		File("a-b", 0o644, []byte("x")),
	)
}

func build(t *testing.T, entries []Entry) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Build(&b, entries); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// list reads an archive back, a line for each file.
func list(t *testing.T, image []byte) string {
	t.Helper()
	recs, err := cpio.ReadAllRecords(cpio.Newc.Reader(bytes.NewReader(image)))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, r := range recs {
		content, err := io.ReadAll(io.NewSectionReader(r, 0, int64(r.FileSize)))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%d %s %06o uid %d gid %d nlink %d mtime %d dev %d:%d size %d %q\n",
			r.Ino, r.Name, r.Mode, r.UID, r.GID, r.NLink, r.MTime, r.Rmajor, r.Rminor, r.FileSize, content)
	}
	return b.String()
}

func TestBuildReadsBack(t *testing.T) {
	got := list(t, build(t, sample()))
	golden := filepath.Join("testdata", "sample.txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestBuildIsReproducible(t *testing.T) {
	one := build(t, sample())
	back := sample()
	for i, j := 0, len(back)-1; i < j; i, j = i+1, j-1 {
		back[i], back[j] = back[j], back[i]
	}
	if !bytes.Equal(one, build(t, back)) {
		t.Error("the order of the entries changes the image")
	}
	// The bytes are a public promise: baselines name images by hash.
	const want = "47164c3ceacc6acad903e19c1a53778321fd93b7b05edd6b8d6c74bacbe93463"
	if got := fmt.Sprintf("%x", sha256.Sum256(one)); got != want {
		t.Errorf("the sample image has the hash %s, want %s", got, want)
	}
}

func TestBuildRefuses(t *testing.T) {
	for name, entries := range map[string][]Entry{
		"twice":             {Dir("a", 0o755), Dir("a", 0o700)},
		"absolute":          {Dir("/a", 0o755)},
		"outside":           {Dir("../a", 0o755)},
		"root":              {Dir(".", 0o755)},
		"no path":           {Dir("", 0o755)},
		"NUL":               {Dir("a\x00b", 0o755)},
		"trailer":           {File("TRAILER!!!", 0o644, nil)},
		"below a file":      {File("a", 0o644, nil), File("a/b", 0o644, nil)},
		"below a link":      {Symlink("a", "b"), File("a/b", 0o644, nil)},
		"two contents":      {{Path: "a", Mode: cpio.S_IFREG, Data: []byte("x"), From: "/dev/null"}},
		"source not there":  {FromFile("a", 0o644, "/nonexistent/file")},
		"source is no file": {FromFile("a", 0o644, "/dev")},
	} {
		if err := Build(io.Discard, entries); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

type full struct{ room int }

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.room {
		return 0, errors.New("no space left on device")
	}
	f.room -= len(p)
	return len(p), nil
}

func TestBuildDiskFull(t *testing.T) {
	whole := len(build(t, sample()))
	for room := range whole {
		if err := Build(&full{room}, sample()); err == nil {
			t.Fatalf("no error with room for %d of %d bytes", room, whole)
		}
	}
}

func amd64() Target { return Target{Name: "amd64", Env: []string{"GOARCH=amd64", "GOAMD64=v1"}} }

func TestPowerdown(t *testing.T) {
	var imgs []*Image
	for range 2 {
		b := &Builder{Dir: filepath.Join(t.TempDir(), "cache")}
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if _, err := b.Powerdown(t.Context(), amd64()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		img, err := b.Powerdown(t.Context(), amd64())
		if err != nil {
			t.Fatal(err)
		}
		imgs = append(imgs, img)
		files, err := os.ReadDir(b.Dir)
		if err != nil || len(files) != 2 {
			t.Errorf("the cache holds %v (%v), want the binary and the image", files, err)
		}
	}
	if imgs[0].SHA256 != imgs[1].SHA256 || imgs[0].BinarySHA256 != imgs[1].BinarySHA256 {
		t.Errorf("two builds differ: %+v, %+v", imgs[0], imgs[1])
	}
	one, err := os.ReadFile(imgs[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	two, err := os.ReadFile(imgs[1].Path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one, two) {
		t.Error("two builds are not the same byte for byte")
	}
}

func TestPrebuiltGuest(t *testing.T) {
	b := &Builder{Dir: t.TempDir(), Go: "/nonexistent/go"}
	_, err := b.Guest(t.Context(), amd64())
	var no *NoGuestError
	if !errors.As(err, &no) || strings.Contains(err.Error(), "\n") {
		t.Fatalf("without a toolchain: %v, want one line, a NoGuestError", err)
	}

	off, err := (&Builder{Dir: t.TempDir()}).Powerdown(t.Context(), amd64())
	if err != nil {
		t.Fatal(err)
	}
	b.Prebuilt = map[string]string{"amd64": off.Binary}
	img, err := b.Guest(t.Context(), amd64())
	if err != nil {
		t.Fatal(err)
	}
	if img.BinarySHA256 != off.BinarySHA256 {
		t.Errorf("the image %+v does not hold the binary %+v", img, off)
	}
	more, err := b.Guest(t.Context(), amd64(), File("lib/x", 0o644, []byte("x")))
	if err != nil || more.SHA256 == img.SHA256 {
		t.Errorf("extra entries: %+v, %v", more, err)
	}

	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"a script": script, "nothing": "/nonexistent/guest", "a dynamic program": "/bin/sh",
	} {
		b := &Builder{Dir: t.TempDir(), Prebuilt: map[string]string{"amd64": path}}
		if _, err := b.Guest(t.Context(), amd64()); err == nil {
			t.Errorf("%s was accepted as a guest", name)
		}
	}
}

func TestNotOurTree(t *testing.T) {
	b := &Builder{Dir: t.TempDir(), Source: t.TempDir()}
	_, err := b.Powerdown(t.Context(), amd64())
	var no *NoGuestError
	if !errors.As(err, &no) {
		t.Errorf("outside the source tree: %v, want a NoGuestError", err)
	}
}

func TestUnwritableCache(t *testing.T) {
	b := &Builder{Dir: "/dev/null/cache"}
	if _, err := b.Powerdown(t.Context(), amd64()); err == nil {
		t.Error("no error for a cache that cannot be made")
	}
}

func FuzzBuild(f *testing.F) {
	f.Add("a/b", []byte("x"), uint32(0o100644))
	f.Add("a", []byte("b"), uint32(0o120777))
	f.Fuzz(func(t *testing.T, path string, data []byte, mode uint32) {
		var b bytes.Buffer
		if err := Build(&b, append(skeleton(), Entry{Path: path, Mode: mode, Data: data})); err != nil {
			return
		}
		recs, err := cpio.ReadAllRecords(cpio.Newc.Reader(bytes.NewReader(b.Bytes())))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range recs {
			if r.Name == path && r.Mode == uint64(mode) {
				return
			}
		}
		t.Fatalf("%q is not in the image", path)
	})
}
