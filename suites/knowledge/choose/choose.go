// Package choose finds the behaviours that a user names, one by one or by their area, and those that may be meant by
// a name that there is not. It is pure.
package choose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"pivotspec/suites/knowledge"
)

// UnknownError says that there is no behaviour or area of a name.
type UnknownError struct {
	// Word is what the user gave.
	Word string
	// Near are the words that may be meant, nearest first.
	Near []string
}

func (e *UnknownError) Error() string {
	what := "behaviour"
	if strings.HasSuffix(e.Word, "/") {
		what = "area"
	}
	switch {
	case e.Word == "":
		return "a behaviour is empty: give its ID, or its area with a slash behind it"
	case len(e.Near) > 0:
		return fmt.Sprintf("there is no %s %q: did you mean %s?", what, e.Word, strings.Join(e.Near, " or "))
	}
	return fmt.Sprintf("there is no %s %q: give an ID such as rootfs/pivot, or an area such as rootfs/ for all of it (`pivotspec report` lists them)", what, e.Word)
}

// Behaviours returns the IDs of the behaviours that words name, in the order of the base, each once: "AREA/" are all
// of an area. Its error is an *[UnknownError].
func Behaviours(base *knowledge.Base, words []string) ([]string, error) {
	wanted := map[string]bool{}
	for _, w := range words {
		found := false
		for i := range base.Behaviours {
			if b := &base.Behaviours[i]; b.ID == w || b.Area()+"/" == w {
				wanted[b.ID], found = true, true
			}
		}
		if !found {
			return nil, &UnknownError{w, near(base, w)}
		}
	}
	var out []string
	for i := range base.Behaviours {
		if id := base.Behaviours[i].ID; wanted[id] {
			out = append(out, id)
		}
	}
	return out, nil
}

// Words returns all that can be named: the areas, each with the slash, and the behaviours of each behind it, by their IDs.
func Words(base *knowledge.Base) []string {
	var out []string
	for _, a := range base.Areas {
		at := len(out)
		for i := range base.Behaviours {
			if b := &base.Behaviours[i]; b.Area() == a.ID {
				out = append(out, b.ID)
			}
		}
		if len(out) > at {
			out = slices.Insert(out, at, a.ID+"/")
		}
	}
	return out
}

// most is how many words an error suggests.
const most = 3

// near returns what may be meant by a word that names nothing.
func near(base *knowledge.Base, word string) []string {
	type candidate struct {
		word string
		dist int
	}
	var found []candidate
	// Nobody likes to type a slash, nor the whole of a long ID.
	bare := strings.TrimSuffix(word, "/")
	for _, w := range Words(base) {
		area, isArea := strings.CutSuffix(w, "/")
		if !isArea {
			area = w
		}
		d := min(levenshtein.ComputeDistance(word, w), levenshtein.ComputeDistance(bare, area))
		_, condition, _ := strings.Cut(w, "/")
		switch {
		case bare == "":
			continue
		case bare == condition:
			d = 0
		case !isArea && len(bare) > 3 && strings.HasPrefix(w, bare):
			d = min(d, 1)
		}
		// a third of the letters wrong is a slip of the finger; more is another word
		if d <= max(1, len(bare)/3) {
			found = append(found, candidate{w, d})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(a.dist, b.dist) })
	var out []string
	for _, c := range found[:min(most, len(found))] {
		out = append(out, c.word)
	}
	return out
}
