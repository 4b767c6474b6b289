package diagnose

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"

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
		Outside bool     `yaml:"outside"`
		Enter   string   `yaml:"enter"`
		Old     string   `yaml:"old"`
		Instead bool     `yaml:"instead"`
		// Elsewhere says whether it is for a new_root that is the caller's root (false) or is not
		// (true); for both, if it is left out.
		Elsewhere *bool `yaml:"elsewhere"`
	} `yaml:"mends"`
}

// loadMends reads the file that is built into this program.
func loadMends() ([]mends, error) {
	var all []mends
	if err := yaml.UnmarshalWithOptions(mendsFile, &all, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("mends.yaml: %s", yaml.FormatError(err, false, true))
	}
	return all, nil
}

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
	slash := f.New.Mount.ID == f.Root.Mount.ID && f.New.Is == f.Root.Is && f.New.MountRoot == f.Root.MountRoot
	for _, m := range all {
		if !slices.Contains(m.Causes, c.ID) {
			continue
		}
		for _, t := range m.Mends {
			if t.Elsewhere != nil && *t.Elsewhere == slash {
				continue
			}
			says, err := f.fill(c, t.Says, false)
			if err != nil {
				says = t.Says
			}
			mend := Mend{Says: says, Outside: t.Outside, Enter: t.Enter, Instead: t.Instead}
			for _, r := range t.Run {
				text, err := f.fill(c, r, true)
				if err != nil {
					mend.Run = nil
					break
				}
				mend.Run = append(mend.Run, text)
			}
			if t.Old != "" {
				mend.Old, _ = f.fill(c, t.Old, false)
			}
			c.Mends = append(c.Mends, mend)
		}
	}
}

var errNoName = errors.New("the name is not known")

// fill puts names into a text: as words of a shell, if quoted.
func (f *Facts) fill(c *Cause, text string, quote bool) (string, error) {
	oldroot := ""
	if f.New.Path != "" {
		oldroot = strings.TrimRight(f.New.Path, "/") + "/oldroot"
	}
	arg := &f.New
	if strings.HasPrefix(c.ID, "old-") {
		arg = &f.Old
	}
	parent := f.New.Mount.ParentPoint
	if f.New.Mount.HasParent == No {
		parent = f.New.Mount.Point
	}
	var err error
	for _, n := range []struct{ name, value string }{
		{"{new}", f.New.Path}, {"{old}", f.Old.Path}, {"{arg}", arg.Path}, {"{at}", arg.At}, {"{oldroot}", oldroot},
		{"{new-mount}", f.New.Mount.Point}, {"{old-mount}", f.Old.Mount.Point},
		{"{new-parent}", parent}, {"{root-parent}", f.Root.Mount.ParentPoint},
	} {
		if !strings.Contains(text, n.name) {
			continue
		}
		if n.value == "" {
			err = fmt.Errorf("%s: %w", n.name, errNoName)
		}
		value := n.value
		if quote {
			value = shellWord(value)
		}
		text = strings.ReplaceAll(text, n.name, value)
	}
	return text, err
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
	if strings.HasPrefix(s, "-") {
		return "./" + quoted
	}
	return quoted
}
