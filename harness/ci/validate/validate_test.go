// Package validate checks the ready files of harness/ci with what their own worlds have for it: actionlint, the types of
// Kubernetes' own server, LAVA's schema, GitLab's schema. Where there is nothing that could be had on every machine, rules
// of our own stand in, which know no more fields than the files have.
package validate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

const folder = ".."

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(folder, path))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// wrong is the file with one mistake in it: a validator that does not see it sees nothing.
func wrong(t *testing.T, text []byte, old, new string) []byte {
	t.Helper()
	if !bytes.Contains(text, []byte(old)) {
		t.Fatalf("the file has no %q", old)
	}
	return bytes.Replace(text, []byte(old), []byte(new), 1)
}

func TestGitHub(t *testing.T) {
	lint := func(text []byte) string {
		t.Helper()
		l, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		found, err := l.Lint("pivotspec.yml", text, nil)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, e := range found {
			out = append(out, e.Error())
		}
		return strings.Join(out, "\n")
	}
	text := read(t, "github/pivotspec.yml")
	if got := lint(text); got != "" {
		t.Error(got)
	}
	for old, new := range map[string]string{
		"fail-fast: false": "fail-fest: false", "needs: shard": "needs: shards", "${{ matrix.shard }}/": "${{ matrix.shart }}/",
	} {
		if lint(wrong(t, text, old, new)) == "" {
			t.Errorf("actionlint does not see %q", new)
		}
	}
}

// documents are those of a file of Kubernetes.
func documents(text []byte) [][]byte { return bytes.Split(text, []byte("\n---\n")) }

// job decodes a Job as strictly as a server told to.
func job(text []byte) (*batchv1.Job, error) {
	j := new(batchv1.Job)
	err := yaml.UnmarshalStrict(text, j)
	if err == nil && (j.APIVersion != "batch/v1" || j.Kind != "Job") {
		err = fmt.Errorf("%s %s", j.APIVersion, j.Kind)
	}
	return j, err
}

func TestKubernetes(t *testing.T) {
	docs := documents(read(t, "kubernetes/job.yaml"))
	if len(docs) != 2 {
		t.Fatalf("%d documents", len(docs))
	}
	claim := new(corev1.PersistentVolumeClaim)
	if err := yaml.UnmarshalStrict(docs[0], claim); err != nil || claim.Kind != "PersistentVolumeClaim" {
		t.Errorf("%s: %v", claim.Kind, err)
	}
	shards, err := job(docs[1])
	if err != nil {
		t.Fatal(err)
	}
	merge, err := job(read(t, "kubernetes/merge.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := job(wrong(t, docs[1], "completionMode:", "completionMod:")); err == nil {
		t.Error("a wrong field is let pass")
	}
	// What the server demands beyond the types.
	s := shards.Spec
	if s.CompletionMode == nil || *s.CompletionMode != batchv1.IndexedCompletion || s.Completions == nil || s.BackoffLimitPerIndex == nil {
		t.Errorf("the Job is not indexed: %+v", s)
	}
	for _, j := range []*batchv1.Job{shards, merge} {
		pod := j.Spec.Template.Spec
		if pod.RestartPolicy != corev1.RestartPolicyNever {
			t.Errorf("%s: restart policy %s", j.Name, pod.RestartPolicy)
		}
		mounted := pod.Containers[0].VolumeMounts[0]
		if len(pod.Containers) != 1 || mounted.Name != pod.Volumes[0].Name || pod.Volumes[0].PersistentVolumeClaim.ClaimName != claim.Name {
			t.Errorf("%s does not mount the claim", j.Name)
		}
		if !strings.HasPrefix(pod.Containers[0].Image, "debian:") {
			t.Errorf("%s: image %s", j.Name, pod.Containers[0].Image)
		}
	}
	// What only we can know.
	env := map[string]string{}
	for _, v := range s.Template.Spec.Containers[0].Env {
		env[v.Name] = v.Value
	}
	if env["PIVOTSPEC_SHARDS"] != strconv.Itoa(int(*s.Completions)) {
		t.Errorf("%d completions, and PIVOTSPEC_SHARDS=%s", *s.Completions, env["PIVOTSPEC_SHARDS"])
	}
	if rule := s.PodFailurePolicy.Rules[0].OnExitCodes; *rule.ContainerName != s.Template.Spec.Containers[0].Name || !slices.Equal(rule.Values, []int32{2}) {
		t.Errorf("the rule of exit statuses: %+v", rule)
	}
}

// TestLAVA asks LAVA's own schema, and tries the pattern on what a run of the suite prints, as LAVA does: on a
// stream that comes in pieces.
func TestLAVA(t *testing.T) {
	python(t, `
import sys, yaml, lava_common.schemas as schemas
text = open(sys.argv[1]).read()
schemas.validate(yaml.safe_load(text), strict=True)
for old, new in (("monitors:", "monitor:"), ("method: qemu", "method: qem"), ("minutes: 20", "minuts: 20")):
    assert old in text, old
    try:
        schemas.validate(yaml.safe_load(text.replace(old, new, 1)), strict=True)
    except Exception:
        continue
    sys.exit("the schema does not see " + new)
`, "lava/job.yaml")
	got := python(t, `
import re, sys, yaml
monitor = yaml.safe_load(open(sys.argv[1]).read())["actions"][2]["test"]["monitors"][0]
pattern = re.compile(monitor["pattern"], re.DOTALL)
out, buffer = [], ""
stream = (
    "[    1.0] Run /init as init process\r\nKTAP version 1\r\n1..3\r\n  KTAP version 1\r\n  1..4\r\n"
    "  # eperm/x: ok 9 eperm/x-said-by-a-comment"
    "\r\n  ok 1 eperm/no-cap-sys-admin\r\n  # ENOENT: known deviation\r\n  not ok 2 eperm/other\r\n"
    "[    2.0] a message of the kernel\r\n  ok 3 eperm/third # SKIP no Landlock\r\n  ok 4 rootfs/pid1-pivot\r\n"
    "not ok 1 eperm\r\nok 2 rootfs\r\nnot ok 3 guest\r\n# totals\r\n[    3.0] reboot: Power down\r\n")
for char in stream:
    buffer += char
    if re.search(monitor["end"], buffer, re.DOTALL):
        out.append("end")
        break
    found = pattern.search(buffer)
    if found:
        out.append(monitor["fixupdict"][found["result"]] + " " + re.sub(r"\W+", "_", found["test_case_id"]))
        buffer = buffer[found.end():]
print("\n".join(out))
`, "lava/job.yaml")
	want := "pass eperm_no_cap_sys_admin\nfail eperm_other\nskip eperm_third\npass rootfs_pid1_pivot\nfail guest\nend\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// python runs a program of Debian's Python, which has what Debian packages, on a file.
func python(t *testing.T, program, file string) string {
	t.Helper()
	if err := exec.Command("/usr/bin/python3", "-c", "import lava_common.schemas, yaml").Run(); err != nil {
		t.Fatalf("LAVA's schema is in Debian's package lava-common: %v; harness/ci/setup test installs it", err)
	}
	out, err := exec.Command("/usr/bin/python3", "-c", program, filepath.Join(folder, file)).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", file, err, out)
	}
	return string(out)
}

// TestGitLabSchema asks GitLab's schema, as gitlab-ci-local has it, which is a package of npm.
func TestGitLabSchema(t *testing.T) {
	if _, err := exec.LookPath("gitlab-ci-local"); err != nil {
		t.Skip("GitLab's schema comes with gitlab-ci-local: npm install -g gitlab-ci-local; TestOwnRules is what there is without it")
	}
	text := read(t, "gitlab/.gitlab-ci.yml")
	list := func(text []byte) error {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, ".gitlab-ci.yml"), text, 0o644); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"git", "init", "-q"}, {"git", "remote", "add", "origin", "git@gitlab.example:a/b.git"},
			{"git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "--allow-empty", "-m", "t"}} {
			cmd := exec.Command(args[0], args[1:]...)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %v\n%s", args, err, out)
			}
		}
		cmd := exec.Command("gitlab-ci-local", "--list")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		return nil
	}
	if err := list(text); err != nil {
		t.Error(err)
	}
	if list(wrong(t, text, "parallel: 4", "paralel: 4")) == nil {
		t.Error("the schema does not see a wrong field")
	}
}

// rules say which fields a mapping may have, and by "!" which it must. "*" stands for any name.
type rules map[string]any

// check compares a value of a file with rules, a string that says of what kind it is, or a list with the rules of
// its items.
func check(at string, v, want any) error {
	switch want := want.(type) {
	case rules:
		m, ok := v.(map[string]any)
		if !ok {
			return fmt.Errorf("%s is no mapping", at)
		}
		var errs []error
		for _, k := range slices.Sorted(maps.Keys(m)) {
			r, ok := want[k]
			if !ok {
				r, ok = want["!"+k]
			}
			if !ok {
				r, ok = want["*"]
			}
			if !ok {
				errs = append(errs, fmt.Errorf("%s: there is no field %s", at, k))
				continue
			}
			errs = append(errs, check(at+"."+k, m[k], r))
		}
		for k := range want {
			if name, must := strings.CutPrefix(k, "!"); must && m[name] == nil {
				errs = append(errs, fmt.Errorf("%s: %s is missing", at, name))
			}
		}
		return errors.Join(errs...)
	case []any:
		l, ok := v.([]any)
		if !ok || len(l) == 0 {
			return fmt.Errorf("%s is no list", at)
		}
		var errs []error
		for i, item := range l {
			errs = append(errs, check(fmt.Sprintf("%s[%d]", at, i), item, want[0]))
		}
		return errors.Join(errs...)
	case string:
		text, ok := v.(string)
		switch {
		case want == "bool" || want == "number":
			if _, isBool := v.(bool); isBool == (want == "bool") && !ok {
				return nil
			}
		case ok && regexp.MustCompile("^(?s:"+want+")$").MatchString(text):
			return nil
		}
		return fmt.Errorf("%s: %v is not %s", at, v, want)
	}
	panic(fmt.Sprintf("%T", want))
}

// TestOwnRules: nothing with tmt's schema in it can be had on every machine that tests run on, nor GitLab's. These
// rules were written by tmt's specification and schema, and GitLab's reference; they know only the fields that are used.
func TestOwnRules(t *testing.T) {
	texts := []any{".+"}
	artifacts := rules{"!when": "always|on_success|on_failure", "!paths": texts, "reports": rules{"!junit": ".+"}}
	gitlabJob := rules{
		"!extends": `\.pivotspec`, "!stage": "shards|merge", "!script": texts, "!artifacts": artifacts,
		"parallel": "number", "timeout": `\d+h`, "when": "always", "needs": []any{rules{"!job": "shard", "!artifacts": "bool"}},
		"cache": rules{"!key": ".+", "!paths": texts}, "retry": rules{"!max": "number", "!when": "runner_system_failure"},
	}
	for _, f := range []struct {
		file  string
		rules rules
		wrong [2]string
	}{
		{"gitlab/.gitlab-ci.yml", rules{
			"!stages": texts, "!variables": rules{"*": ".*", "PIVOTSPEC_KERNELS": rules{"!value": ".*", "!description": ".+"}},
			"!.pivotspec": rules{"!image": `debian:\w+`, "!before_script": texts}, "!shard": gitlabJob, "!merge": gitlabJob,
		}, [2]string{"parallel:", "paralel:"}},
		{"tmt/plan.fmf", rules{
			"!summary": `[^\n]{1,100}`, "!discover": rules{"!how": "fmf", "sync-repo": "bool"}, "environment": rules{"*": ".*"},
			"provision": rules{"!how": "local"}, "!execute": rules{"!how": "tmt"}, "report": rules{"!how": "display"},
		}, [2]string{"execute:", "excute:"}},
		{"tmt/test.fmf", rules{
			"!summary": `[^\n]{1,100}`, "!test": ".+", "framework": "shell|beakerlib", "require": texts,
			"duration": `\d+[smhd]`, "result": "respect|custom|info|xfail|pass|fail|warn|error", "tag": texts,
		}, [2]string{"framework: shell", "framework: shel"}},
		{"lava/test.yaml", rules{
			"!metadata": rules{"!format": `Lava-Test Test Definition 1\.0`, "!name": "[-_a-z0-9.]+", "!description": ".+", "os": texts, "scope": texts},
			"params":    rules{"*": ".*"}, "!run": rules{"!steps": texts},
		}, [2]string{"steps:", "step:"}},
	} {
		t.Run(f.file, func(t *testing.T) {
			text := read(t, f.file)
			for _, c := range []struct {
				text []byte
				good bool
			}{{text, true}, {wrong(t, text, f.wrong[0], f.wrong[1]), false}} {
				var v any
				if err := yaml.UnmarshalStrict(c.text, &v); err != nil {
					t.Fatal(err)
				}
				if err := check("", v, f.rules); (err == nil) != c.good {
					t.Errorf("good is %v: %v", c.good, err)
				}
			}
		})
	}
	if v := strings.TrimSpace(string(read(t, "tmt/.fmf/version"))); v != "1" {
		t.Errorf("fmf version %q", v)
	}
}

// TestScripts: what the files name is there, can be run, and is a script that a shell can read. No file names a host
// but those that nobody has.
func TestScripts(t *testing.T) {
	named := regexp.MustCompile(`harness/ci/[a-z/]+|\s\.\.?/[a-z]+\.sh|/\.\./[a-z]+`)
	host := regexp.MustCompile(`[a-z]+://([^/\s"]+)`)
	seen := map[string]bool{}
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, "validate") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, h := range host.FindAllSubmatch(b, -1) {
			if !strings.HasSuffix(string(h[1]), ".example") {
				t.Errorf("%s names the host %s", path, h[1])
			}
		}
		if bytes.HasPrefix(b, []byte("#!")) {
			if out, err := exec.Command("sh", "-n", path).CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", path, err, out)
			}
		}
		for _, n := range named.FindAllString(string(b), -1) {
			file := filepath.Join(filepath.Dir(path), strings.TrimSpace(n))
			if rest, ok := strings.CutPrefix(n, "harness/ci/"); ok {
				file = filepath.Join(folder, rest)
			}
			st, err := os.Stat(file)
			if err != nil {
				t.Errorf("%s: %v", path, err)
			} else if !st.IsDir() && st.Mode()&0o111 == 0 {
				t.Errorf("%s names %s, which cannot be run", path, file)
			}
			seen[file] = true
		}
		return nil
	})
	if err != nil || len(seen) < 6 {
		t.Errorf("%d scripts, %v", len(seen), err)
	}
}
