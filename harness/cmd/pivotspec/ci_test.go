package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// ciFolder is where the ready files for CI systems are, seen from here.
const ciFolder = "../../ci"

// ciWorld is a CI system, in so far as a test can be one: its shards' commands and the environment that it gives to each,
// and the command of the job that merges.
type ciWorld struct {
	name  string
	shard func(t *testing.T) []string // shell commands
	env   func(i int) []string        // of shard i of ciShards, from 1
	merge func(t *testing.T) []string
	// gather brings the records of a shard to where the merge finds them; nil where they are there.
	gather func(dir string, i int) error
	merged string // the merged records
	junit  string
	says   string // by the merge on the standard output
}

const ciShards = 2

func ciWorlds() []ciWorld {
	return []ciWorld{
		{
			name:  "github",
			shard: func(t *testing.T) []string { return githubSteps(t, "shard") },
			env: func(i int) []string {
				// What the expressions of the file make of the matrix.
				return []string{fmt.Sprintf("PIVOTSPEC_SHARD=%d/%d", i, ciShards)}
			},
			// upload-artifact and download-artifact: each in a folder of its name.
			gather: func(dir string, i int) error {
				if err := os.MkdirAll(filepath.Join(dir, "shards"), 0o755); err != nil {
					return err
				}
				return os.Rename(filepath.Join(dir, "records"), filepath.Join(dir, "shards", fmt.Sprint("records-", i)))
			},
			merge:  func(t *testing.T) []string { return githubSteps(t, "merge") },
			merged: "merged", junit: "junit.xml", says: "::error",
		},
		{
			name:  "gitlab",
			shard: func(t *testing.T) []string { return gitlabScript(t, "shard") },
			env: func(i int) []string {
				return []string{fmt.Sprint("CI_NODE_INDEX=", i), fmt.Sprint("CI_NODE_TOTAL=", ciShards)}
			},
			merge:  func(t *testing.T) []string { return gitlabScript(t, "merge") },
			merged: "merged", junit: "junit.xml", says: "3 of 3 cells complete",
		},
		{
			name:  "kubernetes",
			shard: func(t *testing.T) []string { return kubernetesArgs(t, "job.yaml") },
			env: func(i int) []string {
				return []string{fmt.Sprint("JOB_COMPLETION_INDEX=", i-1), fmt.Sprint("PIVOTSPEC_SHARDS=", ciShards)}
			},
			merge:  func(t *testing.T) []string { return kubernetesArgs(t, "merge.yaml") },
			merged: "records/merged", junit: "records/junit.xml", says: "3 of 3 cells complete",
		},
		{
			name:  "tmt",
			shard: func(*testing.T) []string { return []string{"harness/ci/tmt/test.sh"} },
			env: func(i int) []string {
				return []string{fmt.Sprintf("PIVOTSPEC_SHARD=%d/%d", i, ciShards), "TMT_TEST_DATA=data"}
			},
			// That is for a plan's finish, or a person: with a single shard the test does it itself.
			merge: func(*testing.T) []string {
				return []string{"harness/ci/merge data/shards merged --output junit=junit.xml"}
			},
			merged: "merged", junit: "junit.xml", says: "3 of 3 cells complete",
		},
	}
}

// ours leaves those commands of a file that are not about installing things.
func ours(t *testing.T, script string) []string {
	t.Helper()
	var out []string
	for line := range strings.Lines(script) {
		line = strings.TrimSpace(line)
		if regexp.MustCompile(`^(exec )?harness/ci/(shard|merge) `).MatchString(line) {
			out = append(out, line)
		}
	}
	if len(out) != 1 {
		t.Fatalf("want one command of harness/ci, got %q of\n%s", out, script)
	}
	return out
}

func decodeYAML(t *testing.T, path string, v any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(ciFolder, path))
	if err == nil {
		// Of several documents the last has what is looked for.
		docs := strings.Split(string(b), "\n---\n")
		err = yaml.Unmarshal([]byte(docs[len(docs)-1]), v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func githubSteps(t *testing.T, job string) []string {
	var file struct {
		Jobs map[string]struct{ Steps []struct{ Run string } }
	}
	decodeYAML(t, "github/pivotspec.yml", &file)
	var script strings.Builder
	for _, s := range file.Jobs[job].Steps {
		script.WriteString(s.Run + "\n")
	}
	return ours(t, script.String())
}

func gitlabScript(t *testing.T, job string) []string {
	file := map[string]any{}
	decodeYAML(t, "gitlab/.gitlab-ci.yml", &file)
	var script strings.Builder
	for _, line := range file[job].(map[string]any)["script"].([]any) {
		fmt.Fprintln(&script, line)
	}
	return ours(t, script.String())
}

func kubernetesArgs(t *testing.T, file string) []string {
	var job struct {
		Spec struct {
			Template struct {
				Spec struct{ Containers []struct{ Args []string } }
			}
		}
	}
	decodeYAML(t, "kubernetes/"+file, &job)
	// The volume is this folder.
	script := strings.ReplaceAll(job.Spec.Template.Spec.Containers[0].Args[0], "/records", "records")
	return ours(t, script)
}

// ci is a machine with the tree's harness/ci, on which PIVOTSPEC runs fake guests, or real ones.
type ci struct {
	t   *testing.T
	dir string
	env []string
}

func newCI(t *testing.T, kernels string, options string) *ci {
	t.Helper()
	dir := t.TempDir()
	env := fakeMachine(t, dir, map[string]string{"a": "7.0.1-test", "b": "7.0.2-test", "c": "6.12.3-test"})
	folder, err := filepath.Abs(ciFolder)
	if err != nil {
		t.Fatal(err)
	}
	// With --accel and such where it runs kernels, which the files leave to pivotspec.
	wrapper := "#!/bin/sh\n[ \"$1\" != run ] || { shift; set -- run " + options + " \"$@\"; }\nexec pivotspec \"$@\"\n"
	for _, err := range []error{
		os.Mkdir(filepath.Join(dir, "harness"), 0o755),
		os.Symlink(folder, filepath.Join(dir, "harness/ci")),
		os.WriteFile(filepath.Join(dir, "wrapper"), []byte(wrapper), 0o755),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	summary := "GITHUB_STEP_SUMMARY=" + filepath.Join(dir, "summary.md")
	return &ci{t, dir, append(append(os.Environ(), env...), "PIVOTSPEC="+filepath.Join(dir, "wrapper"), "PIVOTSPEC_KERNELS="+kernels, summary)}
}

// sh runs commands as a CI system does, and returns the exit status of the first that fails and what was printed.
func (c *ci) sh(env []string, commands []string) (int, string) {
	c.t.Helper()
	cmd := exec.Command("sh", "-euc", strings.Join(commands, "\n"))
	cmd.Dir, cmd.Env = c.dir, append(append([]string{}, c.env...), env...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		c.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// TestCIFiles does what the ready files say, with fake guests: shards one after the other, and the merge, whose records
// are those of an unsharded run.
func TestCIFiles(t *testing.T) {
	for _, w := range ciWorlds() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			c := newCI(t, "./a ./b ./c", "--accel tcg --guest guest --jobs 1")
			for i := 1; i <= ciShards; i++ {
				// Fake guests leave every behaviour missing: 3.
				status, out := c.sh(w.env(i), w.shard(t))
				if status != exitHarness || !strings.Contains(out, fmt.Sprintf("shard %d/%d: ", i, ciShards)) {
					t.Fatalf("shard %d: exit status %d\n%s", i, status, out)
				}
				// Tried again, it goes on.
				if i == 1 {
					status, out = c.sh(w.env(i), w.shard(t))
					if status != exitHarness || !strings.Contains(out, "resumed: 2 of 2 cells kept\n") {
						t.Fatalf("shard %d again: exit status %d\n%s", i, status, out)
					}
				}
				if w.gather != nil {
					if err := w.gather(c.dir, i); err != nil {
						t.Fatal(err)
					}
				}
			}
			if status, out := c.sh(nil, w.merge(t)); status != exitHarness || !strings.Contains(out, w.says) {
				t.Errorf("merge: exit status %d\n%s", status, out)
			}
			c.same(w.merged)
			if b, err := os.ReadFile(filepath.Join(c.dir, w.junit)); err != nil || !strings.Contains(string(b), "<testsuites") {
				t.Errorf("JUnit: %v\n%.200s", err, b)
			}
		})
	}
}

// same compares the merged records with those of an unsharded run.
func (c *ci) same(merged string) {
	c.t.Helper()
	c.sh(nil, []string{`"$PIVOTSPEC" run $PIVOTSPEC_KERNELS --out whole`})
	list := func(dir string) string {
		c.t.Helper()
		status, out := c.sh(nil, []string{"cd " + dir, "ls", "cat plan.json", "cat *.jsonl | sed 's/.wall_ms.:[0-9]*//; s/.us.:[0-9]*//'"})
		if status != 0 {
			c.t.Fatal(out)
		}
		return out
	}
	if got, want := list(merged), list("whole"); got != want {
		c.t.Errorf("merged\n%s\nwhole\n%s", got, want)
	}
}

// TestCIStatus: what the scripts make of exit statuses. A shard with something unexpected has done its work; the merge
// says it. A shard that is missing fails the merge.
func TestCIStatus(t *testing.T) {
	c := newCI(t, "./a ./panic", "--accel tcg --guest guest")
	if status, out := c.sh(nil, []string{"cp a panic"}); status != 0 {
		t.Fatal(out)
	}
	for _, s := range []struct {
		env     string
		command string
		status  int
		says    string
	}{
		{"PIVOTSPEC_SHARD=2/2", "harness/ci/shard records/2", 0, "this shard has something unexpected; it is recorded, and merge will tell"},
		{"", "harness/ci/merge records merged --output json=report.json", 1, "shard 1/2 is missing"},
		{"PIVOTSPEC_SHARD=1/2", "harness/ci/shard records/1", exitHarness, "shard 1/2: 1 of 2 cells"},
		{"", "harness/ci/merge records merged --output json=report.json", 1, "1 of 2 cells complete"},
		{"", "harness/ci/merge records merged --output jsn=report.json", exitUsage, "jsn"},
		{"", "harness/ci/merge nothing merged-2", exitHarness, "nothing cannot be read"},
		{"", "harness/ci/merge records", exitUsage, "usage: harness/ci/merge FOLDER OUT"},
		{"", "harness/ci/shard", exitUsage, "usage: harness/ci/shard FOLDER"},
		{"", "harness/ci/shard records/3", exitUsage, "the environment does not say which shard this is"},
		{"PIVOTSPEC_SHARD=1/1", "TMT_TEST_DATA=data harness/ci/tmt/test.sh && exit 9; s=$?; test -s data/junit.xml || exit 9; exit $s", 1, "1 of 2 cells complete"},
		{"PIVOTSPEC_SHARD=1/2", "harness/ci/shard records/3 --nonsense", exitUsage, "nonsense"},
	} {
		if status, out := c.sh([]string{s.env}, []string{s.command}); status != s.status || !strings.Contains(out, s.says) {
			t.Errorf("%s %s: exit status %d, want %d and %q\n%s", s.env, s.command, status, s.status, s.says, out)
		}
	}
}
