package kernels

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	version "github.com/knqyf263/go-deb-version"
)

// apt drives the machine's own apt client with a state of its own, beside the system's and
// without root. apt verifies the signature of what it downloads; its configuration of
// proxies and the like is the machine's.
type apt struct {
	dir       string // state, below the cache
	component string
	mirror    string
	keyring   string
	// said is what the last update printed, for the cause of what is missing after it
	said string
}

// candidate is a package that carries a kernel.
type candidate struct {
	Package, Version, Arch, Suite string
	Release                       string // the kernel's release string, from the package's name
	Size                          int64
	SHA256                        string
}

// file is the name that `apt-get download` gives the package: colons are escaped.
func (c candidate) file() string {
	return c.Package + "_" + strings.ReplaceAll(c.Version, ":", "%3a") + "_" + c.Arch + ".deb"
}

// openApt finds the client, the mirror and the keys. The error is an *Unavailable.
func openApt(ctx context.Context, dir, component string, keyrings []string) (*apt, error) {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return nil, &Unavailable{Reason: NoApt, Happened: "this machine has no apt-get, which fetches kernels from Debian's archive",
			Do: "give a kernel image or an unpacked kernel package as a file or folder, or copy the cache of a Debian machine", Err: err}
	}
	a := &apt{dir: dir, component: component}
	for _, k := range keyrings {
		if _, err := os.Stat(k); err == nil {
			a.keyring = k
			break
		}
	}
	if a.keyring == "" {
		return nil, &Unavailable{Reason: NoKeyring, Happened: "the keys of Debian's archive are not in " + strings.Join(keyrings, " or "),
			Do: "install the package debian-archive-keyring"}
	}
	out, said, err := run(ctx, "", nil, "apt-get", "indextargets", "--format", "$(REPO_URI)|$(ORIGIN)|$(LABEL)", "Created-By: Packages")
	if err != nil {
		return nil, aptFailure(ctx, "`apt-get indextargets`", said, err)
	}
	if a.mirror = pickMirror(out); a.mirror == "" {
		return nil, &Unavailable{Reason: NoMirror, Happened: "no mirror of Debian's archive is in this machine's apt sources",
			Do: "add one (see sources.list(5)), or give a kernel as a file or folder"}
	}
	return a, nil
}

// pickMirror returns the address of the Debian archive among the sources in the output of
// `apt-get indextargets`, "" if there is none. Origin and label are known only after the
// machine's first update; before, the path tells: Debian's archive is always called debian.
func pickMirror(targets string) string {
	guess := ""
	for line := range strings.Lines(targets) {
		f := strings.Split(strings.TrimSpace(line), "|")
		if len(f) != 3 {
			continue
		}
		uri := strings.TrimRight(f[0], "/")
		if f[1] == "Debian" && (f[2] == "Debian" || f[2] == "Debian Backports") {
			return uri
		}
		if guess == "" && (f[1] == "" || f[1] == "Debian") && strings.HasSuffix(uri, "/debian") {
			guess = uri
		}
	}
	return guess
}

// The configuration. The machine's own is read first, so proxies, timeouts and credentials
// hold; then this: a state of our own, and nothing run afterwards.
const aptConf = `Dir::State "%[1]s";
Dir::State::Lists "%[1]s/lists";
Dir::State::status "%[1]s/status";
Dir::Cache "%[1]s/cache";
Dir::Cache::Archives "archives";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "";
Dir::Etc::SourceList "%[1]s/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::Log "%[1]s";
#clear APT::Architectures;
APT::Architecture "%[2]s";
APT::Architectures { %[3]s };
// lists of suites that this run does not need stay for the next
APT::Get::List-Cleanup "false";
#clear APT::Default-Release;
#clear APT::Update;
#clear DPkg;
Acquire::GzipIndexes "true";
Acquire::PDiffs "false";
`

// update makes apt's lists those of today for the given suites, a map from suite to
// architectures. A suite that fails hides no other: what came through is what lists finds.
func (a *apt) update(ctx context.Context, suites map[string][]string, progress func(done float64)) error {
	for _, d := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(a.dir, d), 0o755); err != nil {
			return storeFailure(err)
		}
	}
	var arches []string
	var sources strings.Builder
	for _, s := range slices.Sorted(maps.Keys(suites)) {
		// Of all that apt could fetch (translations, icons, contents), the package lists only. A
		// list may be older than its signature says that it should be, as it is on mirrors of
		// a day in the past: nothing is installed, and every report names the version.
		fmt.Fprintf(&sources, "deb [arch=%s target=Packages check-valid-until=no signed-by=%s] %s %s %s\n", strings.Join(suites[s], ","), a.keyring, a.mirror, s, a.component)
		arches = append(arches, suites[s]...)
	}
	sort.Strings(arches)
	arches = slices.Compact(arches)
	quoted := ""
	for _, x := range arches {
		quoted += strconv.Quote(x) + "; "
	}
	for name, text := range map[string]string{
		"apt.conf":     fmt.Sprintf(aptConf, a.dir, arches[0], quoted),
		"sources.list": sources.String(),
		"status":       "",
	} {
		if err := os.WriteFile(filepath.Join(a.dir, name), []byte(text), 0o644); err != nil {
			return storeFailure(err)
		}
	}
	_, said, err := a.get(ctx, "", progress, "update")
	a.said = said
	if errors.As(err, new(*exec.ExitError)) && ctx.Err() == nil {
		return nil // some suite failed; lists tells which
	}
	if err != nil {
		return aptFailure(ctx, "`apt-get update`", said, err)
	}
	return nil
}

// lists returns the files with the package lists that are on this machine now, keyed by
// suite and architecture.
func (a *apt) lists(ctx context.Context) (map[[2]string]string, error) {
	out, said, err := a.get(ctx, "", nil, "indextargets", "--format", "$(RELEASE)|$(ARCHITECTURE)|$(FILENAME)", "Created-By: Packages")
	if err != nil {
		return nil, aptFailure(ctx, "`apt-get indextargets`", said, err)
	}
	m := map[[2]string]string{}
	for line := range strings.Lines(out) {
		f := strings.SplitN(strings.TrimSpace(line), "|", 3)
		if len(f) != 3 {
			continue
		}
		if _, err := os.Stat(f[2]); err == nil {
			m[[2]string{f[0], f[1]}] = f[2]
		}
	}
	return m, nil
}

// unlisted is the failure to fetch the package list of a suite, with what apt said of it.
func (a *apt) unlisted(ctx context.Context, suite string) *Unavailable {
	said := about(a.said, suite)
	if said == "" {
		said = a.said
	}
	u := aptFailure(ctx, "`apt-get update`", said, nil)
	u.Happened = "the package list of suite " + suite + " could not be fetched: " + u.Happened
	return u
}

// unreadable is the failure to read the package list of a suite.
func (a *apt) unreadable(suite string, err error) *Unavailable {
	return &Unavailable{Reason: Failed, Happened: "the package list of suite " + suite + " could not be read: " + err.Error(),
		Do: "remove " + a.dir + " and run it again", Err: err}
}

// download fetches packages into the folder dir. Whether it succeeded is to be seen from
// the files: apt leaves those that are whole and have the right hash. It returns what apt said.
func (a *apt) download(ctx context.Context, dir string, cs []candidate, progress func(done float64)) (string, error) {
	args := []string{"download"}
	for _, c := range cs {
		name := c.Package
		if c.Arch != "all" { // apt knows no architecture of that name
			name += ":" + c.Arch
		}
		args = append(args, name+"="+c.Version)
	}
	_, said, err := a.get(ctx, dir, progress, args...)
	return said, err
}

func (a *apt) get(ctx context.Context, dir string, progress func(float64), args ...string) (stdout, said string, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	if progress != nil {
		var moved atomic.Bool
		tell := progress
		progress = func(share float64) { moved.Store(true); tell(share) }
		go a.watch(ctx, &moved, stop)
	}
	return run(ctx, dir, progress, "apt-get", append([]string{"-q", "-c", filepath.Join(a.dir, "apt.conf")}, args...)...)
}

const (
	// minFree is the free space, in bytes, with which apt can still do something.
	minFree = 1 << 20
	// maxStill is how long apt may show no progress. Its own limit for a connection is 30 s, and
	// it tries again; reading the lists takes some seconds.
	maxStill = 3 * time.Minute
)

// watch stops apt where it would hang: apt 2.6's http method waits for ever when the disk is
// full. The cause given to stop is an *Unavailable.
func (a *apt) watch(ctx context.Context, moved *atomic.Bool, stop context.CancelCauseFunc) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	last := time.Now()
	for full := 0; ; {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if moved.Swap(false) {
				last = now
			}
			if now.Sub(last) > maxStill {
				stop(&Unavailable{Reason: NoNetwork, Happened: fmt.Sprintf("apt made no progress for %v", maxStill), Do: "check the network and apt's proxy settings; kernels that are cached still run"})
				return
			}
		}
		// twice in a row: apt may just have written what it is about to shrink
		if free, err := freeSpace(a.dir); err != nil || free >= minFree {
			full = 0
		} else if full++; full == 2 {
			stop(noSpace(a.dir))
			return
		}
	}
}

// freeSpace returns the bytes that this user may still write on the disk of dir.
func freeSpace(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return int64(min(st.Bavail, 1<<40)) * int64(st.Bsize), nil
}

func noSpace(dir string) *Unavailable {
	return &Unavailable{Reason: NoSpace, Happened: "the disk of the cache, " + dir + ", is full", Do: causes[0].do, Err: syscall.ENOSPC}
}

// run runs a program of apt's and returns what it printed. progress is called with the
// share done, from 0 to 1.
func run(ctx context.Context, dir string, progress func(float64), name string, args ...string) (stdout, stderr string, err error) {
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	cmd.Stdout, cmd.Stderr = &out, &said
	// apt cleans up after SIGINT; its methods are children that die when it closes their pipes
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 5 * time.Second
	// nor does apt outlive us if we are killed: it would hold its lock against the next run.
	// The signal comes when the thread that started it ends, so that must be this one.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	done := make(chan struct{})
	close(done)
	if progress != nil {
		r, w, err := os.Pipe()
		if err != nil {
			return "", "", err
		}
		defer r.Close()
		cmd.ExtraFiles = []*os.File{w}
		cmd.Args = append(cmd.Args, "-o", "APT::Status-Fd=3")
		done = make(chan struct{})
		go func() {
			defer close(done)
			readStatus(r, progress)
		}()
		defer func() {
			w.Close()
			// a grandchild may hold the other end; WaitDelay has passed by then
			r.SetReadDeadline(time.Now().Add(time.Second))
			<-done
		}()
	}
	err = cmd.Run()
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return out.String(), said.String(), err
}

// statusForm is a line that apt writes to APT::Status-Fd: dlstatus:1:45.2:Retrieving file ...
var statusForm = regexp.MustCompile(`^dlstatus:[^:]*:([0-9.]+):`)

func readStatus(r io.Reader, progress func(float64)) {
	last := -1
	for s := bufio.NewScanner(r); s.Scan(); {
		if m := statusForm.FindStringSubmatch(s.Text()); m != nil {
			// apt repeats itself many times a second
			if p, err := strconv.ParseFloat(m[1], 64); err == nil && int(p) != last {
				last = int(p)
				progress(p / 100)
			}
		}
	}
}

// readPackages returns the kernel packages in the package list at path: those whose name
// begins with "linux-".
func readPackages(path, suite string) ([]candidate, error) {
	return readNamed(path, suite, kernelPrefix)
}

// kernelPrefix begins the names of all kernel packages.
const kernelPrefix = "linux-"

// readNamed returns the packages in the package list at path whose name begins with prefix.
func readNamed(path, suite, prefix string) ([]candidate, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r io.Reader = f
	if filepath.Ext(path) != "" && !strings.HasSuffix(path, "Packages") {
		z, err := decompress(f)
		if err != nil {
			return nil, err
		}
		defer z.Close()
		r = z
	}
	return parseNamed(io.LimitReader(r, 4<<30), suite, prefix)
}

// parseNamed reads the format of deb822(5) as far as package lists use it.
func parseNamed(r io.Reader, suite, prefix string) ([]candidate, error) {
	begins := []byte("Package: " + prefix)
	var cs []candidate
	var c candidate
	in := false // in a paragraph of a package that is wanted
	b := bufio.NewReaderSize(r, 1<<20)
	flush := func() {
		if in && c.Version != "" && c.SHA256 != "" {
			cs = append(cs, c)
		}
		c, in = candidate{Suite: suite}, false
	}
	flush()
	for {
		line, err := b.ReadSlice('\n')
		for errors.Is(err, bufio.ErrBufferFull) { // a line of a megabyte holds nothing for us
			line = []byte("-") // and does not end the paragraph either
			_, err = b.ReadSlice('\n')
		}
		if err != nil && err != io.EOF {
			return nil, err
		}
		line = bytes.TrimRight(line, "\n")
		switch {
		case len(line) == 0:
			flush()
		case bytes.HasPrefix(line, begins):
			in = true
			c.Package = string(line[len("Package: "):])
		case in:
			key, value, _ := bytes.Cut(line, []byte(": "))
			switch string(key) {
			case "Version":
				c.Version = string(value)
			case "Architecture":
				c.Arch = string(value)
			case "SHA256":
				c.SHA256 = string(value)
			case "Size":
				c.Size, _ = strconv.ParseInt(string(value), 10, 64)
			}
		}
		if err == io.EOF {
			flush()
			return cs, nil
		}
	}
}

// newest returns the newest of the packages in cs that carry e's image; among packages of the
// same version the one that the layout names first. ok is false if there is none.
func newest(e Entry, cs []candidate) (best candidate, ok bool) {
	rank := 0
	for i, p := range e.Layout.Image.Packages {
		before, after, _ := strings.Cut(p, "{release}")
		// compiled when the catalogue was read, so it compiles
		form := regexp.MustCompile("^" + regexp.QuoteMeta(before) + "(" + e.release + ")" + regexp.QuoteMeta(after) + "$")
		for _, c := range cs {
			m := form.FindStringSubmatch(c.Package)
			if m == nil || c.Arch != e.Arch {
				continue
			}
			c.Release = m[1]
			d := compareVersions(c.Version, best.Version)
			if !ok || d > 0 || d == 0 && i < rank {
				best, rank, ok = c, i, true
			}
		}
	}
	return best, ok
}

// compareVersions orders two versions as Debian does; one that is none comes before all others.
func compareVersions(a, b string) int {
	va, errA := version.NewVersion(a)
	vb, errB := version.NewVersion(b)
	switch {
	case errA != nil && errB != nil:
		return 0
	case errA != nil:
		return -1
	case errB != nil:
		return 1
	}
	return va.Compare(vb)
}

// causes are what apt says, in the order in which to look for it: the first that is found
// tells the most. apt has no other way to tell one failure from another than these words.
var causes = []struct {
	reason Reason
	form   *regexp.Regexp
	do     string
}{
	{NoSpace, regexp.MustCompile(`(?i)no space left on device|\(28: |disk quota exceeded`), "free some space where the cache is, or choose another folder with --cache"},
	{Unwritable, regexp.MustCompile(`(?i)read-only file system|permission denied|could not open lock file|unable to lock`), "make the cache writable, or choose another folder with --cache"},
	{NoNetwork, regexp.MustCompile(`(?i)temporary failure resolving|could not resolve|could not connect|cannot initiate the connection|connection refused|network is unreachable|unable to connect|connection timed out|connection failed|no route to host|something wicked happened`), "check the network and apt's proxy settings; kernels that are cached still run"},
	{NoSuite, regexp.MustCompile(`(?i)does not have a release file|no longer has a release file`), "use a mirror that still carries it, or give the kernel as a file"},
	{BadSignature, regexp.MustCompile(`(?i)is not signed|NO_PUBKEY|BADSIG|EXPKEYSIG|EXPSIG|signatures? (were|was|is|are)? ?invalid|couldn't be verified|not valid yet|is expired|signing key|sqv`), "update the package debian-archive-keyring, and check the clock"},
	{BadHash, regexp.MustCompile(`(?i)hash sum mismatch|unexpected size|wrong size`), "try again: a mirror that is being updated, or a proxy that alters files"},
	{BadDownload, regexp.MustCompile(`(?i)404|failed to fetch|connection closed|unexpected(ly)? |error reading from server|undetermined error|unable to fetch`), "try again; if it stays so, check the mirror in this machine's apt sources"},
}

// aptFailure makes an *Unavailable of what apt said; what is the command.
func aptFailure(ctx context.Context, what, said string, err error) *Unavailable {
	if ctx.Err() != nil {
		return &Unavailable{Reason: Interrupted, Happened: "interrupted", Do: "run it again", Err: ctx.Err()}
	}
	if u := (*Unavailable)(nil); errors.As(err, &u) { // from watch
		return u.named("")
	}
	for _, c := range causes {
		if line := firstLine(said, c.form); line != "" {
			return &Unavailable{Reason: c.reason, Happened: line, Do: c.do, Err: err}
		}
	}
	line := firstLine(said, regexp.MustCompile(`^(E|Err|W): `))
	if line == "" {
		line = firstLine(said, regexp.MustCompile(`.`))
	}
	if err != nil {
		line = fmt.Sprintf("%v: %s", err, line)
	}
	return &Unavailable{Reason: Failed, Happened: what + " failed: " + line, Do: "see what apt says to it by hand", Err: err}
}

// stale says whether the last update failed to bring the list of suite up to date: apt then
// keeps the list it had, if any.
func (a *apt) stale(ctx context.Context, suite string) *Unavailable {
	u := aptFailure(ctx, "`apt-get update`", about(a.said, suite), nil)
	if u.Reason == Failed {
		return nil // no line about it, or one that says no more than a warning
	}
	u.Happened = "the package list of suite " + suite + " could not be brought up to date: " + u.Happened
	return u
}

// firstLine returns the first line of said that has form, errors before warnings before others,
// without apt's marks.
func firstLine(said string, form *regexp.Regexp) string {
	for _, mark := range []string{"E: ", "W: ", ""} {
		for line := range strings.Lines(said) {
			rest, ok := strings.CutPrefix(strings.TrimSpace(line), mark)
			// the sandbox's warning of a home that apt's own user may not enter is no failure
			if ok && form.MatchString(rest) && !strings.Contains(rest, "unsandboxed") {
				return rest
			}
		}
	}
	return ""
}

// about returns the lines of said that name suite.
func about(said, suite string) string {
	word := regexp.MustCompile(`(^|[ /])` + regexp.QuoteMeta(suite) + `([ /:]|$)`)
	var b strings.Builder
	for line := range strings.Lines(said) {
		if word.MatchString(strings.TrimSpace(line)) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// storeFailure makes an *Unavailable of a file system's error in the cache.
func storeFailure(err error) *Unavailable {
	u := &Unavailable{Reason: Failed, Happened: err.Error(), Do: "make the cache writable, or choose another folder with --cache", Err: err}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		u.Reason, u.Do = NoSpace, causes[0].do
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		u.Reason, u.Do = Unwritable, causes[1].do
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		u.Reason, u.Happened, u.Do = Interrupted, "interrupted", "run it again"
	}
	return u
}
