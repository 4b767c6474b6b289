package kernels

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// Store is a cache of kernels in a folder, shared by all processes of a user.
//
// An entry is a folder made elsewhere on the same file system and renamed when it is whole.
// Whoever writes holds a lock, so what lies about in the folder of unfinished work was left
// by a process that died, and is removed by the next.
//
//	apt/        the state of apt: package lists
//	kernels/    ARCH/SERIES-FLAVOUR/PACKAGE_VERSION/{image,vmlinux,config,modules/,kernel.json}
//	names/      ARCH/SERIES-FLAVOUR.json: what the name stood for when it was last resolved
//	files/      KIND-SHA256/{image,vmlinux,config,modules/,kernel.json}: what was made of a kernel given as a file
//	tmp/        unfinished work
type Store struct {
	dir     string
	cat     *Catalogue
	refresh bool
}

// Option changes how a store works.
type Option func(*Store)

// Refresh makes [Store.Get] look for newer versions of kernels that are cached already.
func Refresh() Option { return func(s *Store) { s.refresh = true } }

// DefaultDir is the folder of the per-user cache: $XDG_CACHE_HOME/pivotspec, or
// ~/.cache/pivotspec.
func DefaultDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("kernels: no folder for the cache: %w; give one with --cache, or set XDG_CACHE_HOME", err)
	}
	return filepath.Join(base, "pivotspec"), nil
}

// OpenStore opens the cache in dir, or in [DefaultDir] if dir is "". It touches nothing yet:
// that a cache cannot be written to is an error only for those kernels that are not in it.
func OpenStore(dir string, cat *Catalogue, opts ...Option) (*Store, error) {
	if dir == "" {
		var err error
		if dir, err = DefaultDir(); err != nil {
			return nil, err
		}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("kernels: folder for the cache: %w", err)
	}
	if strings.ContainsAny(dir, "\"\n") {
		// it goes into a configuration file of apt, which knows no escapes
		return nil, fmt.Errorf("kernels: the folder for the cache, %q, may not contain quotes or newlines; choose another with --cache", dir)
	}
	s := &Store{dir: dir, cat: cat}
	for _, o := range opts {
		o(s)
	}
	return s, nil
}

// Dir returns the folder of the cache.
func (s *Store) Dir() string { return s.dir }

// Stage says what [Store.Get] is doing.
type Stage string

// The stages, in the order in which a kernel goes through them.
const (
	// StageWait: another process is filling the cache.
	StageWait Stage = "wait"
	// StageUpdate: package lists are fetched, for all kernels at once.
	StageUpdate Stage = "update"
	// StageDownload: packages are fetched, for all kernels at once.
	StageDownload Stage = "download"
	// StageUnpack: one kernel is unpacked.
	StageUnpack Stage = "unpack"
	// StageReady: one kernel is ready, now or since before.
	StageReady Stage = "ready"
	// StageFailed: one kernel is not to be had.
	StageFailed Stage = "failed"
)

// Event tells of progress.
type Event struct {
	Stage Stage
	// Name of the kernel; "" if the stage is about all that are wanted.
	Name string
	// Share of the stage done, from 0 to 1, where known.
	Share float64
	// Bytes to be downloaded in all, for StageDownload.
	Bytes int64
}

// Result is what became of one kernel.
type Result struct {
	Entry  Entry
	Kernel Kernel
	// Err is nil or an *Unavailable.
	Err error
}

// meta is the content of kernel.json in a folder of the cache.
type meta struct {
	Kernel
	// Files are the sizes, in bytes, of the files beside it, to tell a damaged entry.
	Files map[string]int64 `json:"files"`
	// PVH is set if vmlinux is there, in whatever form, and is the better file to boot.
	PVH bool `json:"pvh"`
	// Deb is the SHA-256 of the package.
	Deb string `json:"deb,omitempty"`
	// Parts are those of the packages of the other parts, by the name of the part.
	Parts map[string]string `json:"parts,omitempty"`
	// Looked is the version of what was looked for beside the image, [looked] or an older one;
	// what is older boots as well and is completed when there is a chance.
	Looked int `json:"looked,omitempty"`
	// Format is the version of this cache's layout; another version's entry is not used.
	Format int `json:"format"`
}

const metaFormat = 1

// looked is the present version of [meta.Looked]: 1 with modules.
const looked = 1

// name is the content of a file in names/.
type name struct {
	// Folder below kernels/ARCH/SERIES-FLAVOUR; "" if the name was never resolved.
	Folder string `json:"folder,omitempty"`
	// Failed is set if the last attempt to fetch it failed.
	Failed *Unavailable `json:"failed,omitempty"`
}

func (s *Store) nameFile(e Entry) string { return filepath.Join(s.dir, "names", e.key()+".json") }
func (s *Store) folder(e Entry) string   { return filepath.Join(s.dir, "kernels", e.key()) }

func (s *Store) readName(e Entry) name {
	var n name
	if b, err := os.ReadFile(s.nameFile(e)); err != nil || json.Unmarshal(b, &n) != nil {
		return name{}
	}
	if n.Folder != filepath.Base(n.Folder) { // not ours
		n.Folder = ""
	}
	return n
}

// Cached returns e from the cache, without network and without apt.
func (s *Store) Cached(e Entry) (Kernel, bool) {
	n := s.readName(e)
	if n.Folder == "" {
		return Kernel{}, false
	}
	m, ok := readEntry(filepath.Join(s.folder(e), n.Folder))
	m.Name = e.Name
	return m.Kernel, ok
}

// readEntry reads a folder of the cache. It is whole unless someone meddled with it, so
// the sizes are compared but no hash is.
func readEntry(dir string) (meta, bool) {
	var m meta
	b, err := os.ReadFile(filepath.Join(dir, "kernel.json"))
	if err != nil || json.Unmarshal(b, &m) != nil || m.Format != metaFormat {
		return meta{}, false
	}
	for f, size := range m.Files {
		if st, err := os.Stat(filepath.Join(dir, f)); err != nil || st.Size() != size {
			return meta{}, false
		}
	}
	m.place(dir)
	return m, true
}

// place fills in the paths that depend on where the entry lies.
func (m *meta) place(dir string) {
	if _, ok := m.Files["image"]; ok {
		m.Image = filepath.Join(dir, "image")
	}
	m.Boot = m.Image
	if m.PVH {
		m.Boot = filepath.Join(dir, "vmlinux")
	}
	if _, ok := m.Files["config"]; ok {
		m.Config = filepath.Join(dir, "config")
	}
	for f := range m.Files {
		if strings.HasPrefix(f, modulesFolder+"/") {
			m.Modules = filepath.Join(dir, modulesFolder)
		}
	}
}

// complete says whether e is in the cache with all that is looked for today.
func (s *Store) complete(e Entry) bool {
	n := s.readName(e)
	if n.Folder == "" {
		return false
	}
	m, ok := readEntry(filepath.Join(s.folder(e), n.Folder))
	return ok && m.Looked == looked
}

// Listing is a line of [Store.List].
type Listing struct {
	Entry Entry
	// Cached is set, and Kernel filled, if the kernel is on this machine.
	Cached bool
	Kernel Kernel
	// Failed says why the last attempt to fetch it failed; nil if there was none, or it succeeded.
	Failed *Unavailable
}

// List returns all kernels of the catalogue with what is known of each on this machine.
func (s *Store) List() []Listing {
	var ls []Listing
	for _, e := range s.cat.All() {
		l := Listing{Entry: e, Failed: s.readName(e).Failed}
		l.Kernel, l.Cached = s.Cached(e)
		ls = append(ls, l)
	}
	return ls
}

// Get makes the given kernels ready, from the cache or from Debian's archive, and returns the
// results in the order of entries. A failure is that kernel's alone; its error is an
// *Unavailable. progress may be nil; it is never called by two goroutines at once.
//
// With everything in the cache (and no [Refresh]) nothing is run and nothing written. When a
// refresh fails, a kernel that is cached stays good: its Kernel is given beside the Err. So
// it is with a kernel that an older program cached without its modules.
func (s *Store) Get(ctx context.Context, entries []Entry, progress func(Event)) []Result {
	var mu sync.Mutex
	tell := func(ev Event) {
		if progress != nil {
			mu.Lock()
			defer mu.Unlock()
			progress(ev)
		}
	}
	wanted := map[string]Entry{} // by key: entries may repeat
	for _, e := range entries {
		if !s.complete(e) || s.refresh {
			wanted[e.key()] = e
		}
	}
	var errs map[string]*Unavailable
	if len(wanted) > 0 {
		errs = s.fetch(ctx, wanted, tell)
	}
	results := make([]Result, len(entries))
	for i, e := range entries {
		r := Result{Entry: e}
		k, ok := s.Cached(e)
		if ok {
			s.unwrap(ctx, &k)
			r.Kernel = k
		}
		if u := errs[e.key()]; u != nil {
			r.Err = u.named(e.Name)
		} else if !ok {
			r.Err = &Unavailable{Name: e.Name, Reason: Failed, Happened: "it vanished from the cache " + s.dir, Do: "run it again"}
		}
		stage := StageReady
		if r.Err != nil {
			stage = StageFailed
		}
		tell(Event{Stage: stage, Name: e.Name, Share: 1})
		results[i] = r
	}
	return results
}

// fetch puts the wanted kernels into the cache and returns the errors of those that failed.
func (s *Store) fetch(ctx context.Context, wanted map[string]Entry, tell func(Event)) map[string]*Unavailable {
	errs := map[string]*Unavailable{}
	all := func(u *Unavailable) map[string]*Unavailable {
		for key := range wanted {
			errs[key] = u
		}
		return errs
	}
	unlock, err := s.lock(ctx, "fetch", func() { tell(Event{Stage: StageWait}) })
	if err != nil {
		return all(storeFailure(err))
	}
	defer unlock()
	// another process may have done the work meanwhile
	for key, e := range wanted {
		if s.complete(e) && !s.refresh {
			delete(wanted, key)
		}
	}
	if len(wanted) == 0 {
		return errs
	}
	defer func() {
		for key, u := range errs {
			// only a note for List; without it nothing is lost
			e := wanted[key]
			_ = s.writeName(e, name{Folder: s.readName(e).Folder, Failed: u.named(e.Name)})
		}
	}()
	work, err := s.workFolder("fetch")
	if err != nil {
		return all(storeFailure(err))
	}
	defer os.RemoveAll(work)

	tell(Event{Stage: StageUpdate})
	a, err := openApt(ctx, filepath.Join(s.dir, "apt"), s.cat.component, s.cat.keyrings)
	if err != nil {
		return all(asUnavailable(err))
	}
	chosen, err := s.choose(ctx, a, wanted, errs, tell)
	if err != nil {
		return all(asUnavailable(err))
	}
	if len(chosen) == 0 {
		return errs
	}
	s.download(ctx, a, work, chosen, errs, tell)

	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	var mu sync.Mutex
	for key := range errs { // before the goroutines, which write to errs
		delete(chosen, key)
	}
	for _, key := range slices.Sorted(maps.Keys(chosen)) {
		g.Go(func() error {
			e, c := wanted[key], chosen[key]
			tell(Event{Stage: StageUnpack, Name: e.Name})
			err := gctx.Err()
			if err == nil {
				err = s.install(e, c, work)
			}
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs[key] = asUnavailable(err)
			}
			return nil // a failure is that kernel's alone
		})
	}
	g.Wait()
	return errs
}

func asUnavailable(err error) *Unavailable {
	var u *Unavailable
	if errors.As(err, &u) {
		return u
	}
	return storeFailure(err)
}

// entryFolder is the name of a package's folder in the cache.
func entryFolder(c bundle) string { return c.Package + "_" + c.Version }

// hasEntry says whether the packages c are in the cache already.
func (s *Store) hasEntry(e Entry, dir string, c bundle) bool {
	m, ok := readEntry(filepath.Join(s.folder(e), dir))
	return ok && m.Looked == looked && m.Deb == c.SHA256 && maps.Equal(m.Parts, c.hashes())
}

// choose finds the packages of each wanted kernel that has to be downloaded, and puts the
// errors of those that have none into errs. An error of its own is common to all.
//
// Package lists are most of what there is to fetch, so a suite that stands second in the
// catalogue is asked only for kernels that the first does not carry.
func (s *Store) choose(ctx context.Context, a *apt, wanted map[string]Entry, errs map[string]*Unavailable, tell func(Event)) (map[string]bundle, error) {
	chosen := map[string]bundle{}
	found := map[string]bool{}
	for rank := 0; ; rank++ {
		suites := map[string][]string{}
		for key, e := range wanted {
			// a second suite is as far away as the first
			if found[key] || rank >= len(e.Suites) || errs[key] != nil && errs[key].Reason == NoNetwork {
				continue
			}
			if suite := e.Suites[rank]; !slices.Contains(suites[suite], e.Arch) {
				suites[suite] = append(suites[suite], e.Arch)
				slices.Sort(suites[suite])
			}
		}
		if len(suites) == 0 {
			return chosen, nil
		}
		if err := a.update(ctx, suites, func(p float64) { tell(Event{Stage: StageUpdate, Share: p}) }); err != nil {
			return nil, err
		}
		lists, err := a.lists(ctx)
		if err != nil {
			return nil, err
		}
		packages := map[[2]string][]candidate{}
		for _, key := range slices.Sorted(maps.Keys(wanted)) {
			e := wanted[key]
			if found[key] || rank >= len(e.Suites) || !slices.Contains(suites[e.Suites[rank]], e.Arch) {
				continue
			}
			c, u := resolve(ctx, a, e, e.Suites[rank], lists, packages)
			if u != nil {
				if errs[key] == nil { // the first suite's is the one that matters
					errs[key] = u
				}
				continue
			}
			found[key] = true
			delete(errs, key)
			if dir := entryFolder(c); s.hasEntry(e, dir, c) {
				if err := s.writeName(e, name{Folder: dir}); err != nil {
					errs[key] = storeFailure(err)
				} else if u := a.stale(ctx, c.Suite); u != nil && s.refresh {
					// who asks for news must not take an old list for it
					errs[key] = u
				}
				continue
			}
			chosen[key] = c
		}
	}
}

// resolve chooses the packages for e in suite. packages keeps the lists that have been read.
func resolve(ctx context.Context, a *apt, e Entry, suite string, lists map[[2]string]string, packages map[[2]string][]candidate) (bundle, *Unavailable) {
	id := [2]string{suite, e.Arch}
	file, ok := lists[id]
	if !ok {
		return bundle{}, a.unlisted(ctx, suite)
	}
	cs, ok := packages[id]
	if !ok {
		var err error
		if cs, err = readPackages(file, suite); err != nil {
			return bundle{}, a.unreadable(suite, err)
		}
		packages[id] = cs
	}
	if c, ok := newest(e, cs); ok {
		return gather(e, c, cs), nil
	}
	return bundle{}, &Unavailable{Reason: NoPackage,
		Happened: fmt.Sprintf("suite %s carries no %s package of series %s (%s)", suite, e.Arch, e.Series, e.Flavour),
		Do:       "give the kernel as a file, or use a mirror that still carries it"}
}

// download fetches the packages into the folder work and verifies them.
func (s *Store) download(ctx context.Context, a *apt, work string, chosen map[string]bundle, errs map[string]*Unavailable, tell func(Event)) {
	var bytes int64
	var keys []string // that of cs[i] is keys[i]
	var cs []candidate
	for _, key := range slices.Sorted(maps.Keys(chosen)) {
		for _, c := range chosen[key].packages() {
			bytes += c.Size
			keys, cs = append(keys, key), append(cs, c)
		}
	}
	if free, err := freeSpace(work); err == nil && free < bytes+minFree {
		u := noSpace(s.dir)
		u.Happened = fmt.Sprintf("%d MiB are to be downloaded, and the disk of the cache, %s, has %d MiB free", bytes>>20, s.dir, free>>20)
		for _, key := range keys {
			errs[key] = u
		}
		return
	}
	tell(Event{Stage: StageDownload, Bytes: bytes})
	said, err := a.download(ctx, work, cs, func(p float64) { tell(Event{Stage: StageDownload, Share: p, Bytes: bytes}) })
	for i, key := range keys {
		c := cs[i]
		path := filepath.Join(work, c.file())
		bad := verify(path, c.SHA256)
		if bad == nil {
			continue
		}
		u := aptFailure(ctx, "`apt-get download`", said, err)
		// one more try, alone: it may help, and what apt says then is about this one. Where
		// nothing can come of it, it would only cost another time limit for each.
		if len(keys) > 1 && ctx.Err() == nil && u.Reason != NoNetwork && u.Reason != NoSpace && u.Reason != Unwritable {
			os.Remove(path)
			said1, err1 := a.download(ctx, work, cs[i:i+1], nil)
			if bad = verify(path, c.SHA256); bad == nil {
				continue
			}
			u = aptFailure(ctx, "`apt-get download`", said1, err1)
		}
		if errors.Is(bad, errHash) {
			u = &Unavailable{Reason: BadHash, Happened: bad.Error(), Do: "try again: a mirror that is being updated, or a proxy that alters files"}
		}
		u.Happened = "download of " + c.Package + " " + c.Version + ": " + u.Happened
		errs[key] = u
	}
}

var errHash = errors.New("its SHA-256 is not the one in the archive's index")

// verify compares the file at path with its hash. apt has done so, but what is in the file
// now is what counts.
func verify(path, want string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if hex.EncodeToString(h.Sum(nil)) != want {
		return errHash
	}
	return nil
}

// install unpacks the packages in the folder work there, and moves what it made into the cache.
func (s *Store) install(e Entry, c bundle, work string) error {
	dir := filepath.Join(work, "new-"+entryFolder(c))
	m, err := unpack(e.Layout, s.cat.keep, c, work, dir)
	if err != nil {
		if isOurs(err) {
			return err // ours, not the package's
		}
		return &Unavailable{Reason: BadPackage, Happened: "package " + c.Package + " " + c.Version + ": " + err.Error(),
			Do: "report it, and give the kernel as a file meanwhile", Err: err}
	}
	if m.Series != e.Series || m.Version != c.Release || m.Arch != e.Arch {
		return &Unavailable{Reason: BadPackage,
			Happened: fmt.Sprintf("package %s %s holds a kernel that calls itself %s for %s", c.Package, c.Version, m.Version, m.Arch),
			Do:       "report it, and give the kernel as a file meanwhile"}
	}
	m.Name, m.Package, m.PackageVersion, m.Deb, m.Parts = e.Name, c.Package, c.Version, c.SHA256, c.hashes()
	m.NoModules = c.lacks
	if err := writeMeta(dir, m); err != nil {
		return err
	}
	target := filepath.Join(s.folder(e), entryFolder(c))
	if err := publish(dir, target); err != nil {
		return err
	}
	for _, p := range c.packages() {
		os.Remove(filepath.Join(work, p.file())) // as early as possible: disks can be small
	}
	return s.writeName(e, name{Folder: entryFolder(c)})
}

// isOurs says whether err came from the file system of the cache and not from what was read.
func isOurs(err error) bool {
	return errors.As(err, new(*os.PathError)) || errors.As(err, new(*os.LinkError)) || errors.As(err, new(*os.SyscallError))
}

// describe identifies the image, writes the form of it into dir that QEMU boots where that is not
// the image, and the configuration in it, and returns what goes into kernel.json.
func describe(dir, image string) (meta, error) {
	f, err := os.Open(image)
	if err != nil {
		return meta{}, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return meta{}, err
	}
	img, err := identify(f, st.Size())
	if err != nil {
		return meta{}, err
	}
	m := meta{Format: metaFormat, Files: map[string]int64{}}
	m.Kernel = Kernel{Version: img.Version, Arch: img.Arch, Series: seriesOf(img.Version)}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, st.Size())); err != nil {
		return meta{}, err
	}
	m.SHA256 = hex.EncodeToString(h.Sum(nil))
	path := filepath.Join(dir, "vmlinux")
	var config []byte
	if m.PVH, config, err = open(f, st.Size(), img, path); err != nil {
		return meta{}, err
	}
	if config != nil {
		if err := writeFile(filepath.Join(dir, partConfig), bytes.NewReader(config)); err != nil {
			return meta{}, err
		}
	}
	m.Looked = looked
	modules, err := filepath.Glob(filepath.Join(dir, modulesFolder, "*"))
	if err != nil {
		return meta{}, err
	}
	for _, path := range append(modules, filepath.Join(dir, "image"), path, filepath.Join(dir, partConfig)) {
		if st, err := os.Stat(path); err == nil {
			m.Files[strings.TrimPrefix(path, dir+"/")] = st.Size()
		}
	}
	return m, nil
}

// seriesOf returns the two leading numbers of a release string.
func seriesOf(release string) string {
	var a, b int
	if n, _ := fmt.Sscanf(release, "%d.%d", &a, &b); n != 2 {
		return ""
	}
	return fmt.Sprintf("%d.%d", a, b)
}

func writeMeta(dir string, m meta) error {
	b, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, "kernel.json"), strings.NewReader(string(b)+"\n"))
}

// writeFile writes a new file and makes sure that it is on the disk.
func writeFile(path string, content io.Reader) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := copyBounded(f, content, maxDebFile); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

// publish moves the finished folder dir to target, where it appears whole or not at all.
func publish(dir, target string) error {
	if err := syncFolder(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	// An entry that is there is damaged, or an older program's that lacks a part; that one
	// boots, and may be booting now, so that there must be one at any time.
	if unix.Renameat2(unix.AT_FDCWD, dir, unix.AT_FDCWD, target, unix.RENAME_EXCHANGE) == nil {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		return syncFolder(filepath.Dir(target))
	}
	if err := os.RemoveAll(target); err != nil {
		return err
	}
	if err := os.Rename(dir, target); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(target))
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// writeName records what the name of e stands for. Its caller holds the lock.
func (s *Store) writeName(e Entry, n name) error {
	b, err := json.MarshalIndent(n, "", "\t")
	if err != nil {
		return err
	}
	path := s.nameFile(e)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := writeFile(path+".new", strings.NewReader(string(b)+"\n")); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// lock takes the lock called kind, and calls wait once if another process holds it. The
// system releases the lock of a process that dies.
func (s *Store) lock(ctx context.Context, kind string, wait func()) (unlock func(), err error) {
	dir := filepath.Join(s.dir, "tmp")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	l := flock.New(filepath.Join(dir, kind+".lock"))
	ok, err := l.TryLock()
	if err == nil && !ok {
		wait()
		ok, err = l.TryLockContext(ctx, 200*time.Millisecond)
	}
	if err == nil && !ok {
		err = errors.New("the cache is locked")
	}
	if err != nil {
		return nil, err
	}
	// the file stays: removing it would let two processes lock two files of that name
	return func() { _ = l.Unlock() }, nil
}

// workFolder returns a new folder for unfinished work. Its caller holds the lock called kind, so
// whatever is there already was left by a process that died.
func (s *Store) workFolder(kind string) (string, error) {
	base := filepath.Join(s.dir, "tmp", kind)
	if err := os.RemoveAll(base); err != nil {
		return "", err
	}
	if err := os.MkdirAll(base, 0o755); err != nil {
		return "", err
	}
	return os.MkdirTemp(base, "")
}
