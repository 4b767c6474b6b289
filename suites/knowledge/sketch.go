package knowledge

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Sketch tells how like another sentence one is that is not repeated here: the hashes, 16
// bits of SHA-256 each, of its words and of its pairs of adjacent words, sorted. The order of
// the sentence is lost, and many words share a hash, so that it cannot be read back; yet
// sentences of one meaning with some words changed have most hashes in common.
type Sketch []uint16

// SketchOf returns the sketch of a sentence, given as for [Fingerprint].
func SketchOf(sentence string) Sketch {
	w := words(sentence)
	var s Sketch
	for i := range w {
		s = append(s, feature(w[i]))
		if i > 0 {
			s = append(s, feature(w[i-1]+" "+w[i]))
		}
	}
	slices.Sort(s)
	return slices.Compact(s)
}

func feature(s string) uint16 {
	sum := sha256.Sum256([]byte(s))
	return binary.BigEndian.Uint16(sum[:2])
}

// Similarity is Dice's coefficient: twice the number of hashes in common, over that of both.
// It is 1 for the same words in the same order and 0 for none in common.
func (s Sketch) Similarity(o Sketch) float64 {
	if len(s)+len(o) == 0 {
		return 0
	}
	common := 0
	for i, j := 0, 0; i < len(s) && j < len(o); {
		switch {
		case s[i] < o[j]:
			i++
		case s[i] > o[j]:
			j++
		default:
			common, i, j = common+1, i+1, j+1
		}
	}
	return 2 * float64(common) / float64(len(s)+len(o))
}

// Lacks returns the words of a sentence that the sketched one has not, in order, without
// letters' case and each once. A word may be left out that shares its hash with another.
func (s Sketch) Lacks(sentence string) []string {
	var out []string
	for _, w := range words(sentence) {
		if _, ok := slices.BinarySearch(s, feature(w)); !ok && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// String returns the hashes as hexadecimal digits, four each.
func (s Sketch) String() string {
	var b []byte
	for _, h := range s {
		b = binary.BigEndian.AppendUint16(b, h)
	}
	return hex.EncodeToString(b)
}

// ParseSketch reads what String returns.
func ParseSketch(text string) (Sketch, error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b)%2 != 0 || len(b) == 0 {
		return nil, fmt.Errorf("sketch %.20q: want hexadecimal digits, four for each hash", text)
	}
	var s Sketch
	for ; len(b) > 0; b = b[2:] {
		s = append(s, binary.BigEndian.Uint16(b))
	}
	if !slices.IsSorted(s) || len(slices.Compact(slices.Clone(s))) != len(s) {
		return nil, fmt.Errorf("sketch %.20q: want its hashes sorted, each once", text)
	}
	return s, nil
}

// sketchesFile holds the sketches of the editions' sentences by fingerprint.
const sketchesFile = "sketches.yaml"

// Sketches returns the sketches of the sentences of all editions, by fingerprint.
func Sketches() (map[string]Sketch, error) {
	f, err := data.Open(sketchesFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readSketches(f)
}

func readSketches(r io.Reader) (map[string]Sketch, error) {
	var m Mistakes
	raw := map[string]string{}
	if err := yaml.NewDecoder(r).Decode(&raw); err != nil {
		return nil, fmt.Errorf("%s: %s", sketchesFile, strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	out := make(map[string]Sketch, len(raw))
	for id, text := range raw {
		s, err := ParseSketch(text)
		if err != nil {
			m.addf("%s: %s: %v", sketchesFile, id, err)
		}
		if !fingerprint.MatchString(id) {
			m.addf("%s: %q is not a fingerprint", sketchesFile, id)
		}
		out[id] = s
	}
	if len(m) > 0 {
		slices.Sort(m)
		return nil, m
	}
	return out, nil
}

// AppendSketches writes sketches in the form of their file.
func AppendSketches(b []byte, sketches map[string]Sketch) []byte {
	b = append(b, `# Sketches of the editions' sentences by fingerprint, by which changed wording is recognised:
# hashes of words and of pairs of words (sketch.go), from which no sentence can be read. Made by
#   go test ./results/pagecheck -run Sketches -update -pages DIR
# from the files of a folder: sources of pages, and texts (*.txt) with one sentence a line. What
# is here already of other sentences stays.
`...)
	ids := make([]string, 0, len(sketches))
	for id := range sketches {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		b = fmt.Appendf(b, "%q: %q\n", id, sketches[id])
	}
	return b
}
