package diagnose

import (
	_ "embed"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
)

//go:embed mends.yaml
var mendsFile []byte

// Mend is a way to make a cause vanish.
type Mend struct {
	// Says tells what to do.
	Says string `json:"says"`
	// Run are commands of a shell that do it; none if no command can, or the names for it are not
	// known. COMMAND stands for what the caller does.
	Run []string `json:"run,omitempty"`
	// Outside says that they are for a shell whose root is that of the mount namespace.
	Outside bool `json:"outside,omitempty"`
	// Enter is how COMMAND has to be run after that, "" if as before.
	Enter string `json:"enter,omitempty"`
	// Old is the put_old to call with then, "" if the same.
	Old string `json:"put_old,omitempty"`
	// Instead says that it takes the place of pivot_root.
	Instead bool `json:"instead,omitempty"`
}

// mends are those of some causes, as the file has them.
type mends struct {
	Causes []string `yaml:"causes"`
	Mends  []struct {
		Says    string   `yaml:"says"`
		Run     []string `yaml:"run"`
		Enter   string   `yaml:"enter"`
		Old     string   `yaml:"old"`
		Instead bool     `yaml:"instead"`
		// If names what has to be so for it; see [Facts.is].
		If []string `yaml:"if"`
	} `yaml:"mends"`
}

// is returns what mends are made to depend on.
func (f *Facts) is() map[string]bool {
	slash := f.New.Mount.ID == f.Root.Mount.ID && f.New.Is == f.Root.Is && f.New.MountRoot == f.Root.MountRoot
	return map[string]bool{
		"new-is-the-root": slash, "new-is-not-the-root": !slash,
		"new-exists": f.New.Removed != Yes, "root-exists": f.Root.Removed != Yes, "root-removed": f.Root.Removed == Yes,
	}
}

// loadMends reads the file that is built into this program, once.
var loadMends = sync.OnceValues(func() ([]mends, error) {
	var all []mends
	if err := yaml.UnmarshalWithOptions(mendsFile, &all, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("mends.yaml: %s", yaml.FormatError(err, false, true))
	}
	return all, nil
})

// Mend adds to each cause how it can be mended.
func (d *Diagnosis) Mend() error {
	all, err := loadMends()
	if err != nil {
		return err
	}
	for _, list := range [][]Cause{d.Causes, d.Doubts} {
		for i := range list {
			list[i].mend(all, d.Facts)
		}
	}
	return nil
}

func (c *Cause) mend(all []mends, f *Facts) {
	is := f.is()
	for _, m := range all {
		if !slices.Contains(m.Causes, c.ID) {
			continue
		}
		for _, t := range m.Mends {
			if slices.ContainsFunc(t.If, func(s string) bool { return !is[s] }) {
				continue
			}
			says := names{facts: f, cause: c}
			mend := Mend{Says: says.fill(t.Says), Enter: t.Enter, Instead: t.Instead, Old: says.fill(t.Old)}
			run := names{facts: f, cause: c, quote: true}
			for _, r := range t.Run {
				mend.Run = append(mend.Run, run.fill(r))
			}
			if run.cd != "" {
				mend.Run = append(mend.Run, "cd "+run.cd)
			}
			mend.Outside = run.outside
			if run.lacks {
				mend.Run, mend.Enter, mend.Outside = nil, "", false
			}
			c.Mends = append(c.Mends, mend)
		}
	}
}

// names puts names into texts.
type names struct {
	facts *Facts
	cause *Cause
	quote bool // as words of a shell
	// lacks says that a name was not known, outside that one was seen from the namespace's root, and
	// cd is where the working directory has to be set to again, for what is new there.
	lacks, outside bool
	cd             string
}

func (n *names) fill(text string) string {
	f := n.facts
	arg := &f.New
	if strings.HasPrefix(n.cause.ID, "old-") {
		arg = &f.Old
	}
	newRoot := f.New.Path
	if last := path.Base(newRoot); f.New.Errno == "" && (last == "." || last == "..") {
		// Such a path does not lead to what is mounted there later.
		newRoot = f.New.Is
		if strings.Contains(text, "{new}") && n.quote {
			n.cd = shellWord(newRoot)
		}
	}
	if f.New.Hidden {
		newRoot = ""
	}
	oldroot := ""
	if f.New.Path != "" {
		oldroot = strings.TrimRight(f.New.Path, "/") + "/oldroot"
	}
	parent, seen := f.New.Mount.ParentPoint, f.New.Mount.ParentSeen
	if f.New.Mount.HasParent == No {
		parent, seen = f.New.Mount.Point, f.New.Mount.Seen
	}
	var values []string
	for _, x := range []struct {
		name, value string
		seen        Seen
	}{
		{"{new}", newRoot, Inside}, {"{arg}", arg.Path, Inside}, {"{at}", arg.At, Inside}, {"{oldroot}", oldroot, Inside},
		{"{old-mount}", f.Old.Mount.Point, f.Old.Mount.Seen}, {"{new-parent}", parent, seen},
		{"{root-parent}", f.Root.Mount.ParentPoint, f.Root.Mount.ParentSeen},
	} {
		if !strings.Contains(text, x.name) {
			continue
		}
		n.lacks = n.lacks || x.value == "" || x.seen == ""
		n.outside = n.outside || x.seen == Outside
		value := x.value
		if n.quote {
			value = shellWord(value)
		}
		values = append(values, x.name, value)
	}
	return strings.NewReplacer(values...).Replace(text) // at once, for a value may look like a name
}

// shellWord quotes a text, unless it is a plain one, as one word of a shell.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+,:@%", r)
	}
	if s != "" && s[0] != '-' && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	quoted := "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	if visible(s) != s { // as bash and zsh read it
		quoted = "$'" + visible(strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s)) + "'"
	}
	if strings.HasPrefix(s, "-") {
		return "./" + quoted
	}
	return quoted
}
