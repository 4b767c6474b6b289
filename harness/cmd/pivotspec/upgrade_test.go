package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pivotspec/harness/lab"
	"pivotspec/kernels"
	"pivotspec/suites/knowledge"
)

// kernelOf returns a kernel of the catalogue for amd64, fetched if it is not here.
func kernelOf(t *testing.T, series string) kernels.Kernel {
	t.Helper()
	l, err := lab.Open("", "")
	if err != nil {
		t.Fatal(err)
	}
	e, err := l.Catalogue.Lookup(series, "amd64")
	if err != nil {
		t.Fatal(err)
	}
	r := l.Store.Get(t.Context(), []kernels.Entry{e}, nil)[0]
	if r.Kernel.Image == "" {
		t.Fatal(r.Err)
	}
	return r.Kernel
}

// deb makes of a kernel of the catalogue the package that it came in, without its modules.
func deb(t *testing.T, dir string, k kernels.Kernel) string {
	t.Helper()
	tree := filepath.Join(dir, k.Series)
	boot := filepath.Join(tree, "boot", "vmlinuz-"+k.Version)
	control := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: nobody <nobody@localhost>\nDescription: a kernel\n",
		k.Package, k.PackageVersion, k.Arch)
	image, err := os.ReadFile(k.Image)
	err = errors.Join(err,
		os.MkdirAll(filepath.Dir(boot), 0o755), os.MkdirAll(filepath.Join(tree, "DEBIAN"), 0o755),
		os.WriteFile(boot, image, 0o644), os.WriteFile(filepath.Join(tree, "DEBIAN", "control"), []byte(control), 0o644),
	)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, fmt.Sprintf("%s_%s_%s.deb", k.Package, k.PackageVersion, k.Arch))
	if out, err := exec.CommandContext(t.Context(), "dpkg-deb", "-Zgzip", "-z1", "--root-owner-group", "-b", tree, file).CombinedOutput(); err != nil {
		t.Fatalf("dpkg-deb: %v\n%s", err, out)
	}
	return file
}

// output runs pivotspec, which has to end with a status, and returns what it prints.
func output(t *testing.T, status int, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "pivotspec", args...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if e := (*exec.ExitError)(nil); err != nil && !errors.As(err, &e) || cmd.ProcessState.ExitCode() != status {
		t.Fatalf("pivotspec %s: %v, want exit status %d\n%s%s", strings.Join(args, " "), err, status, errs.String(), out)
	}
	return out
}

// changes reads the changes from a comparison of one pair, by behaviour.
func changes(t *testing.T, document []byte) map[string]string {
	t.Helper()
	var d struct {
		Pairs []struct {
			Changes []struct{ Behaviour, Kind, Old, New string }
			Gaps    []struct{ Behaviour string }
		}
	}
	if err := json.Unmarshal(document, &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Pairs) != 1 || len(d.Pairs[0].Gaps) > 0 {
		t.Fatalf("want one pair of cells, wholly compared:\n%s", document)
	}
	out := map[string]string{}
	for _, c := range d.Pairs[0].Changes {
		out[c.Behaviour] = fmt.Sprintf("%s: %s -> %s", c.Kind, c.Old, c.New)
	}
	return out
}

// TestGivenKernels boots kernels that are given as files: by diff, and by bisect for git.
func TestGivenKernels(t *testing.T) {
	if testing.Short() {
		t.Skip("needs real boots")
	}
	cache := t.TempDir() // one for both: the guest is built once
	t.Run("upgrade", func(t *testing.T) { upgradeByPackages(t, cache) })
	t.Run("bisect", func(t *testing.T) { bisectHistory(t, cache) })
}

// upgradeByPackages compares 6.19 with 7.0, given as the packages that the archive has: what is told has to be
// what the matrix of the same records shows to be different, no more and no less, and to be all that
// is different between the recorded runs of the two.
func upgradeByPackages(t *testing.T, cache string) {
	dir := t.TempDir()
	before, after := deb(t, dir, kernelOf(t, "6.19")), deb(t, dir, kernelOf(t, "7.0"))
	recs := filepath.Join(dir, "records")
	got := changes(t, output(t, 0, "diff", before, after, "--format", "json", "--out", recs,
		"--cache", cache, "--accel", "tcg"))

	// The matrix of the same records.
	both := filepath.Join(dir, "both")
	for _, side := range []string{"old", "new"} {
		if err := os.CopyFS(both, os.DirFS(filepath.Join(recs, side))); err != nil && !errors.Is(err, os.ErrExist) {
			t.Fatal(err)
		}
	}
	var matrix struct {
		Cells      []struct{ Name, Series string }
		Behaviours []struct {
			ID    string
			Cells map[string]struct {
				Verdict, Outcome string
				Facts            map[string]string
			}
		}
	}
	if err := json.Unmarshal(output(t, 0, "report", both, "--format", "json"), &matrix); err != nil {
		t.Fatal(err)
	}
	if len(matrix.Cells) != 2 || matrix.Cells[0].Series != "6.19" || matrix.Cells[1].Series != "7.0" {
		t.Fatalf("the cells are %+v", matrix.Cells)
	}
	base, err := knowledge.LoadToJudge()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, b := range matrix.Behaviours {
		known, ok := base.Behaviour(b.ID)
		if !ok {
			t.Fatalf("%s is not known", b.ID)
		}
		x, y := b.Cells[matrix.Cells[0].Name], b.Cells[matrix.Cells[1].Name]
		if x.Outcome != y.Outcome || (x.Verdict == "unsupported") != (y.Verdict == "unsupported") {
			want = append(want, b.ID)
			continue
		}
		for f, v := range x.Facts {
			if y.Facts[f] != v && !known.IsInfo(f) {
				want = append(want, b.ID)
				break
			}
		}
	}
	var told []string
	for id := range got {
		told = append(told, id)
	}
	slices.Sort(want)
	slices.Sort(told)
	for _, id := range told {
		if !slices.Contains(want, id) {
			t.Errorf("%s is told to be otherwise, and the matrix shows no difference", id)
		}
	}
	for _, id := range want {
		if got[id] == "" {
			t.Errorf("%s is different in the matrix and not told", id)
		}
	}

	// The recorded runs of both.
	for id, how := range changes(t, output(t, 0, "diff", "baseline:6.19", "baseline:7.0", "--format", "json")) {
		if got[id] != how {
			t.Errorf("%s: recorded as %s, told as %s", id, how, got[id])
		}
	}
	for id, how := range map[string]string{
		"rootfs/pivot":                             "works now: EINVAL -> OK",
		"rootfs/pid1-pivot":                        "works now: EINVAL -> OK",
		"order/capability-or-new-root-missing":     "fails otherwise: EPERM -> ENOENT",
		"success/open-tree-namespace":              "supported now: mount namespaces by open_tree(2): EINVAL -> OK",
		"rootfs/mount-ids":                         "works otherwise: OK -> OK",
		"recipes/kata-agent-on-initramfs":          "works now: EINVAL -> OK",
		"order/capability-or-new-root-bad-address": "fails otherwise: EPERM -> EFAULT",
	} {
		if got[id] != how {
			t.Errorf("%s: got %q, want %q", id, got[id], how)
		}
	}
}

// bisectHistory lets git bisect a small history whose commits build real kernels, or fail to.
func bisectHistory(t *testing.T, cache string) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git")
	}
	dir := t.TempDir()
	repo := filepath.Join(dir, "linux")
	if err := os.MkdirAll(repo, 0o755); err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@t", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@t")
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir, cmd.Env = repo, env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	git("init", "-q", ".")
	// What a build is: it copies the kernel of the commit, or fails in one of two ways.
	const build = `mkdir -p arch/x86/boot
case $1 in
"") exit 1;;
broken) echo "fs/namespace.c:1: error"; exit 2;;
short) head -c 3000000 "$2" >arch/x86/boot/bzImage;;
*) cp "$2" arch/x86/boot/bzImage;;
esac
`
	commits := map[string]string{}
	for _, c := range []struct{ name, how, series string }{
		{"good", "copy", "6.12"}, {"broken", "broken", "6.12"}, {"6.19", "copy", "6.19"}, {"7.0", "copy", "7.0"},
		{"short", "short", "7.0"}, {"later", "copy", "7.0"}, {"7.3", "copy", "7.3"},
	} {
		files := map[string]string{
			"build": build, "kernel": c.how + " " + kernelOf(t, c.series).Image, "README": c.name, ".gitignore": "arch\n",
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(repo, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		git("add", ".")
		git("commit", "-qm", c.name)
		commits[c.name] = strings.TrimSpace(git("rev-parse", "HEAD"))
	}
	records := filepath.Join(dir, "records")
	for _, tt := range []struct {
		terms, sought []string
		want          string
	}{
		{[]string{"--term-old=old", "--term-new=new"}, []string{"--behaviour", "rootfs/pivot", "--old", "EINVAL", "--new", "OK"}, "7.0"},
		{nil, []string{"--behaviour", "migrate/kernel-threads", "--bad", "OK, kthread-root=kernel's own root"}, "7.3"},
	} {
		git(append(append([]string{"bisect", "start"}, tt.terms...), commits["7.3"], commits["good"])...)
		out := git(append([]string{"bisect", "run", "pivotspec", "bisect", "--build", "sh build $(cat kernel)",
			"--out", records, "--cache", cache, "--accel", "tcg"}, tt.sought...)...)
		if want := commits[tt.want] + " is the first "; !strings.Contains(out, want) {
			t.Errorf("the change of %s is not found:\n%s", tt.want, out)
		}
		git("bisect", "reset")
	}
	// Each commit that was asked about has its records, and the last bisection used those of the first.
	for _, name := range []string{"6.19", "7.0"} {
		if files, err := filepath.Glob(filepath.Join(records, commits[name], "*.jsonl")); err != nil || len(files) != 1 {
			t.Errorf("%s: records %v, %v", name, files, err)
		}
	}
}
