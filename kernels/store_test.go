package kernels

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	row61  = "{series: '6.1', arch: amd64, flavour: cloud-amd64, suites: [old], layout: whole, default: true}"
	row612 = "{series: '6.12', arch: amd64, flavour: cloud-amd64, suites: [now, older], layout: whole, default: true}"
	row72  = "{series: '7.2', arch: amd64, flavour: cloud-amd64, suites: [new], layout: split, default: true}"
	rel61  = "6.1.0-50-cloud-amd64"
	rel612 = "6.12.107+deb13-cloud-amd64"
	rel72  = "7.2.12+deb13-cloud-amd64"
	newDeb = "linux-image-6.12.108+deb13-cloud-amd64"
	newRel = "6.12.108+deb13-cloud-amd64"
)

// openFake makes an archive with three kernels in three suites, and an empty cache.
func openFake(t *testing.T, opts ...Option) (*fakeArchive, *Store) {
	t.Helper()
	a := newFakeArchive(t)
	a.addKernel("old", rel61, "6.1.176-1")
	a.addKernel("now", rel612, "6.12.107-1")
	a.add("new", "amd64", "linux-binary-"+rel72, "7.2.12-1~bpo13+1", fakeDeb(t,
		tarFile{name: "./usr/lib/modules/" + rel72 + "/vmlinuz", content: fakeKernel(rel72)}))
	s, err := OpenStore(filepath.Join(t.TempDir(), "cache"), testCatalogue(t, a.path("key.gpg"), row61, row612, row72), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return a, s
}

func reopen(t *testing.T, s *Store, opts ...Option) *Store {
	t.Helper()
	n, err := OpenStore(s.dir, s.cat, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// want compares what became of each kernel: "ok" or the reason.
func want(t *testing.T, rs []Result, what ...string) {
	t.Helper()
	if len(rs) != len(what) {
		t.Fatalf("%d results, want %d", len(rs), len(what))
	}
	for i, r := range rs {
		got := "ok"
		var u *Unavailable
		if errors.As(r.Err, &u) {
			got = string(u.Reason)
			if u.Name != r.Entry.Name || !strings.Contains(u.Error(), u.Name) || strings.Contains(u.Error(), "\n") || u.Do == "" {
				t.Errorf("%s: the message is not one full line: %q", r.Entry.Name, u.Error())
			}
		} else if r.Err != nil {
			got = r.Err.Error()
		}
		if got != what[i] {
			t.Errorf("kernel %s: %s (%v), want %s", r.Entry.Name, got, r.Err, what[i])
		}
		if r.Err == nil {
			for _, f := range []string{r.Kernel.Image, r.Kernel.Boot} {
				if _, err := Identify(f); err != nil {
					t.Errorf("kernel %s: %v", r.Entry.Name, err)
				}
			}
		}
	}
}

// noLeftovers checks that nothing unfinished lies in the cache.
func noLeftovers(t *testing.T, s *Store) {
	t.Helper()
	filepath.WalkDir(s.dir, func(p string, d fs.DirEntry, err error) error {
		if strings.Contains(p, "/tmp/fetch/") || strings.HasSuffix(p, ".new") || strings.HasSuffix(p, ".deb") {
			t.Errorf("left over: %s", p)
		}
		return nil
	})
}

func TestGet(t *testing.T) {
	a, s := openFake(t)
	var stages []Stage
	es := s.cat.Default("")
	rs := s.Get(t.Context(), es, func(e Event) { stages = append(stages, e.Stage) })
	want(t, rs, "ok", "ok", "ok")
	k := rs[1].Kernel
	if k.Name != "6.12" || k.Series != "6.12" || k.Version != rel612 || k.Arch != "amd64" ||
		k.Package != "linux-image-"+rel612 || k.PackageVersion != "6.12.107-1" || len(k.SHA256) != 64 || !k.PVH() {
		t.Errorf("kernel = %+v", k)
	}
	if k.Config == "" || rs[2].Kernel.Config != "" {
		t.Errorf("config = %q of a whole package, %q of a split one", k.Config, rs[2].Kernel.Config)
	}
	if got := a.log(); strings.Count(got, " update") != 1 || strings.Count(got, " download ") != 1 {
		t.Errorf("not one update and one download for all:\n%s", got)
	}
	// "older" is second for 6.12, which the first suite carries
	if b, _ := os.ReadFile(filepath.Join(s.dir, "apt/sources.list")); strings.Contains(string(b), "older") {
		t.Errorf("asked for a suite that is not needed:\n%s", b)
	}
	noLeftovers(t, s)

	t.Run("again without apt and without a writable cache", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		want(t, reopen(t, s).Get(t.Context(), es, nil), "ok", "ok", "ok")
	})
	t.Run("list", func(t *testing.T) {
		for _, l := range s.List() {
			if !l.Cached || l.Failed != nil || l.Kernel.Series != l.Entry.Series {
				t.Errorf("%+v", l)
			}
		}
	})
	t.Run("damaged entry is fetched again", func(t *testing.T) {
		if err := os.Truncate(k.Boot, 10); err != nil {
			t.Fatal(err)
		}
		if _, ok := s.Cached(es[1]); ok {
			t.Fatal("a damaged entry counts as cached")
		}
		want(t, s.Get(t.Context(), es, nil), "ok", "ok", "ok")
	})
	t.Run("refresh takes the newer one", func(t *testing.T) {
		a.addKernel("now", newRel, "6.12.108-1")
		want(t, s.Get(t.Context(), es, nil), "ok", "ok", "ok")
		if k, _ := s.Cached(es[1]); k.Version != rel612 {
			t.Errorf("without a refresh %s", k.Version)
		}
		want(t, reopen(t, s, Refresh()).Get(t.Context(), es, nil), "ok", "ok", "ok")
		if k, _ := s.Cached(es[1]); k.Version != newRel {
			t.Errorf("after a refresh %s", k.Version)
		}
	})
	t.Run("refresh from an old list is no refresh", func(t *testing.T) {
		a.write("update.err", "W: Failed to fetch http://x/debian/dists/now/InRelease  Temporary failure resolving 'x'\n")
		defer os.Remove(a.path("update.err"))
		rs := reopen(t, s, Refresh()).Get(t.Context(), es[:2], nil)
		want(t, rs, "ok", string(NoNetwork))
		if rs[1].Kernel.Version != newRel {
			t.Errorf("kernel = %+v", rs[1].Kernel)
		}
	})
	t.Run("refresh that fails keeps what is there", func(t *testing.T) {
		a.write("update.err", "E: Failed to fetch http://x  Temporary failure resolving 'x'\n")
		os.Remove(a.path("now.amd64.Packages"))
		os.RemoveAll(filepath.Join(s.dir, "apt/lists"))
		defer os.Remove(a.path("update.err"))
		rs := reopen(t, s, Refresh()).Get(t.Context(), es[1:2], nil)
		want(t, rs, string(NoNetwork))
		if rs[0].Kernel.Version != newRel {
			t.Errorf("kernel = %+v", rs[0].Kernel)
		}
		if l := s.List()[1]; !l.Cached || l.Failed == nil || l.Failed.Reason != NoNetwork {
			t.Errorf("listing = %+v", l)
		}
	})
}

// Every way in which apt, the archive or the disk can fail, and what it does to the others.
func TestGetFailures(t *testing.T) {
	tests := []struct {
		name   string
		breaks func(t *testing.T, a *fakeArchive, s *Store)
		want   [3]string
	}{
		{"suite gone", func(t *testing.T, a *fakeArchive, s *Store) { os.Remove(a.path("old.amd64.Packages")) }, [3]string{"no-suite", "ok", "ok"}},
		{"series gone from its suite", func(t *testing.T, a *fakeArchive, s *Store) {
			os.Remove(a.path("new.amd64.Packages"))
			a.add("new", "amd64", "linux-binary-7.3.4+deb13-cloud-amd64", "7.3.4-1", nil)
		}, [3]string{"ok", "ok", "no-package"}},
		{"second suite stands in", func(t *testing.T, a *fakeArchive, s *Store) {
			os.Rename(a.path("now.amd64.Packages"), a.path("older.amd64.Packages"))
		}, [3]string{"ok", "ok", "ok"}},
		{"package gone since the list", func(t *testing.T, a *fakeArchive, s *Store) {
			os.Remove(a.path("pool/linux-image-" + rel612 + "_6.12.107-1_amd64.deb"))
		}, [3]string{"ok", "bad-download", "ok"}},
		{"download cut short", func(t *testing.T, a *fakeArchive, s *Store) {
			os.Truncate(a.path("pool/linux-image-"+rel612+"_6.12.107-1_amd64.deb"), 500)
		}, [3]string{"ok", "bad-hash", "ok"}},
		{"wrong hash", func(t *testing.T, a *fakeArchive, s *Store) {
			a.write("pool/linux-image-"+rel612+"_6.12.107-1_amd64.deb", "x")
		}, [3]string{"ok", "bad-hash", "ok"}},
		{"package of rubbish", func(t *testing.T, a *fakeArchive, s *Store) {
			a.add("now", "amd64", newDeb, "6.12.108-1", []byte("rubbish"))
		}, [3]string{"ok", "bad-package", "ok"}},
		{"package without the image", func(t *testing.T, a *fakeArchive, s *Store) {
			a.add("now", "amd64", newDeb, "6.12.108-1", fakeDeb(t, tarFile{name: "boot/config-" + newRel, content: []byte("x")}))
		}, [3]string{"ok", "bad-package", "ok"}},
		{"package with another kernel", func(t *testing.T, a *fakeArchive, s *Store) {
			a.add("now", "amd64", newDeb, "6.12.108-1", fakeDeb(t, tarFile{name: "boot/vmlinuz-" + newRel, content: fakeKernel(rel61)}))
		}, [3]string{"ok", "bad-package", "ok"}},
		{"image is a link", func(t *testing.T, a *fakeArchive, s *Store) {
			a.add("now", "amd64", newDeb, "6.12.108-1", fakeDeb(t, tarFile{name: "boot/vmlinuz-" + newRel, typ: '2', link: "/etc/passwd"}))
		}, [3]string{"ok", "bad-package", "ok"}},
		{"truncated image", func(t *testing.T, a *fakeArchive, s *Store) {
			k := fakeKernel(newRel)
			a.add("now", "amd64", newDeb, "6.12.108-1", fakeDeb(t, tarFile{name: "boot/vmlinuz-" + newRel, content: k[:len(k)-40]}))
		}, [3]string{"ok", "bad-package", "ok"}},
		{"no network", func(t *testing.T, a *fakeArchive, s *Store) {
			a.write("update.err", "W: Failed to fetch http://mirror.example/debian/dists/now/InRelease  Could not connect to mirror.example:80 (192.0.2.1), connection timed out\n")
		}, [3]string{"no-network", "no-network", "no-network"}},
		{"network lost after the update", func(t *testing.T, a *fakeArchive, s *Store) {
			a.write("download.err", "E: Failed to fetch http://mirror.example/x.deb  Temporary failure resolving 'mirror.example'\n")
		}, [3]string{"no-network", "no-network", "no-network"}},
		{"disk full in apt", func(t *testing.T, a *fakeArchive, s *Store) {
			a.write("download.err", "E: Failed to fetch http://mirror.example/x.deb  Error writing to file - write (28: No space left on device)\n")
		}, [3]string{"no-space", "no-space", "no-space"}},
		{"unsigned", func(t *testing.T, a *fakeArchive, s *Store) {
			a.write("update.err", "W: GPG error: http://mirror.example/debian now InRelease: The following signatures couldn't be verified because the public key is not available: NO_PUBKEY 1234\nE: The repository 'http://mirror.example/debian now InRelease' is not signed.\n")
		}, [3]string{"bad-signature", "bad-signature", "bad-signature"}},
		{"no apt", func(t *testing.T, a *fakeArchive, s *Store) { t.Setenv("PATH", t.TempDir()) }, [3]string{"no-apt", "no-apt", "no-apt"}},
		{"no mirror", func(t *testing.T, a *fakeArchive, s *Store) { os.Truncate(a.path("targets"), 0) }, [3]string{"no-mirror", "no-mirror", "no-mirror"}},
		{"no keys", func(t *testing.T, a *fakeArchive, s *Store) { s.cat.keyrings = []string{"/nonexistent"} }, [3]string{"no-keyring", "no-keyring", "no-keyring"}},
		{"cache below a file", func(t *testing.T, a *fakeArchive, s *Store) { s.dir = filepath.Join(a.path("log"), "cache") }, [3]string{"unwritable", "unwritable", "unwritable"}},
		{"leftovers of a crash", func(t *testing.T, a *fakeArchive, s *Store) {
			dir := filepath.Join(s.dir, "tmp/fetch/123")
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			os.WriteFile(filepath.Join(dir, "half.deb"), []byte("x"), 0o644)
			// an entry that only meddling can make: no kernel.json
			os.MkdirAll(filepath.Join(s.dir, "kernels/amd64/6.1-cloud-amd64/linux-image-"+rel61+"_6.1.176-1"), 0o755)
		}, [3]string{"ok", "ok", "ok"}},
		{"a note that is not ours", func(t *testing.T, a *fakeArchive, s *Store) {
			os.MkdirAll(filepath.Join(s.dir, "names/amd64"), 0o755)
			os.WriteFile(filepath.Join(s.dir, "names/amd64/6.1-cloud-amd64.json"), []byte(`{"folder":"../../../.."}`), 0o644)
			os.WriteFile(filepath.Join(s.dir, "names/amd64/7.2-cloud-amd64.json"), []byte(`{`), 0o644)
		}, [3]string{"ok", "ok", "ok"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, s := openFake(t)
			tt.breaks(t, a, s)
			rs := s.Get(t.Context(), s.cat.Default(""), nil)
			want(t, rs, tt.want[:]...)
			for _, r := range rs {
				if r.Err != nil {
					t.Log(r.Err)
				}
			}
			noLeftovers(t, s)
		})
	}
}

func TestGetInterrupted(t *testing.T) {
	_, s := openFake(t)
	ctx, cancel := context.WithCancel(t.Context())
	rs := s.Get(ctx, s.cat.Default(""), func(e Event) {
		if e.Stage == StageDownload {
			cancel()
		}
	})
	want(t, rs, "interrupted", "interrupted", "interrupted")
	noLeftovers(t, s)
	want(t, s.Get(t.Context(), s.cat.Default(""), nil), "ok", "ok", "ok")
}

// Two processes that fill one cache at once do the work once; the lock is per open file, so two
// stores in one process compete like two processes.
func TestGetConcurrent(t *testing.T) {
	a, s := openFake(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { want(t, reopen(t, s).Get(t.Context(), s.cat.Default(""), nil), "ok", "ok", "ok") })
	}
	wg.Wait()
	if n := strings.Count(a.log(), " download "); n != 1 {
		t.Errorf("%d downloads", n)
	}
}

func TestLockGivesUp(t *testing.T) {
	_, s := openFake(t)
	unlock, err := s.lock(t.Context(), "fetch", func() {})
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	waited := false
	rs := reopen(t, s).Get(ctx, s.cat.Default(""), func(e Event) { waited = waited || e.Stage == StageWait })
	want(t, rs, "interrupted", "interrupted", "interrupted")
	if !waited {
		t.Error("nobody was told of the wait")
	}
}

func TestOpenStore(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", "/x/y")
	s, err := OpenStore("", nil)
	if err != nil || s.Dir() != "/x/y/pivotspec" {
		t.Errorf("%v, %v", s, err)
	}
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	if _, err := OpenStore("", nil); err == nil || !strings.Contains(err.Error(), "XDG_CACHE_HOME") {
		t.Errorf("without a home: %v", err)
	}
	if _, err := OpenStore(`/a"b`, nil); err == nil {
		t.Error("a folder with a quote is accepted")
	}
}

func ExampleUnavailable() {
	fmt.Println(&Unavailable{Name: "6.17", Reason: NoSuite,
		Happened: "the package list of suite x could not be fetched:\n404", Do: "use a mirror that still carries it"})
	// Output: kernel 6.17 is not to be had: the package list of suite x could not be fetched: 404; use a mirror that still carries it
}
