package spec

import (
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
)

// AskedVariable is the environment variable that tells a guest which behaviours of its scenario it is
// asked for, in the words of [Ask]; without it, it is all of them. It comes to the guest like [ScenarioVariable].
const AskedVariable = "pivotspec_asked"

// Ask returns what [Asked] reads: some of the behaviours of a scenario, of which all has the IDs. Kernels take
// short command lines only, and an ID may have 60 letters, so it is places in the sorted list of all, behind
// a number that stands for that list: "9f3c01aa:7,30-58". The error names an ID that is not in all.
func Ask(all, ids []string) (string, error) {
	sorted := slices.Sorted(slices.Values(all))
	asked := make([]bool, len(sorted))
	for _, id := range ids {
		i, ok := slices.BinarySearch(sorted, id)
		if !ok {
			return "", fmt.Errorf("there is no %s among the %d behaviours of the scenario", id, len(sorted))
		}
		asked[i] = true
	}
	var places []string
	for i := 0; i < len(asked); i++ {
		if !asked[i] {
			continue
		}
		first := i
		for i+1 < len(asked) && asked[i+1] {
			i++
		}
		place := strconv.Itoa(first)
		if i > first {
			place += "-" + strconv.Itoa(i)
		}
		places = append(places, place)
	}
	return listed(sorted) + ":" + strings.Join(places, ","), nil
}

// Asked returns those of the specs of a scenario that text asks for, in their order; all of them if
// it is "". Of another list of specs than the one that [Ask] was given it says that, for a place in it would be that of
// another behaviour.
func Asked(specs []Spec, text string) ([]Spec, error) {
	if text == "" {
		return specs, nil
	}
	sorted := make([]string, 0, len(specs))
	for i := range specs {
		sorted = append(sorted, specs[i].ID)
	}
	slices.Sort(sorted)
	list, places, ok := strings.Cut(text, ":")
	switch {
	case !ok:
		return nil, fmt.Errorf("%s=%s: want a number in hexadecimal, a colon and places", AskedVariable, text)
	case list != listed(sorted):
		return nil, fmt.Errorf("%s=%s asks another guest than this, whose %d behaviours are %s: use the guest that belongs to this pivotspec", AskedVariable, text, len(sorted), listed(sorted))
	}
	asked := map[string]bool{}
	for place := range strings.SplitSeq(places, ",") {
		from, to, several := strings.Cut(place, "-")
		if !several {
			to = from
		}
		first, err := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		if err != nil || err2 != nil || first < 0 || last < first || last >= len(sorted) {
			return nil, fmt.Errorf("%s=%s: %q is no place among %d behaviours", AskedVariable, text, place, len(sorted))
		}
		for _, id := range sorted[first : last+1] {
			asked[id] = true
		}
	}
	var out []Spec
	for i := range specs {
		if asked[specs[i].ID] {
			out = append(out, specs[i])
		}
	}
	return out, nil
}

// listed stands for a sorted list of IDs, in hexadecimal. That two lists have the same is no harm: the host
// compares the guest's plan with what it asked for, ID by ID.
func listed(sorted []string) string {
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(strings.Join(sorted, "\n"))))
}
