package enumerate

import (
	"encoding/base64"
	"encoding/json"
	"fmt"

	"pivotspec/suites/model"
)

// Request says which worlds a run compares. It is told to a guest as one word.
type Request struct {
	// World is the text of the only world to compare; "" for those below.
	World string `json:"world,omitempty"`
	// Bounds are those of the worlds that are listed, all of them.
	Bounds Bounds `json:"bounds"`
	// Random is how many worlds chance picks beside them, by Seed.
	Random int    `json:"random,omitempty"`
	Seed   uint64 `json:"seed,omitempty"`
}

// Variable is the environment variable that makes a guest compare worlds with the model of the
// call instead of running the suite: an encoded Request. The kernel passes arguments of its own
// command line that it does not know to init as variables.
const Variable = "pivotspec_worlds"

// Encode returns the request as a word without spaces, quotes or equals signs.
func (r Request) Encode() (string, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("encode a request for worlds: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// Decode reads what Encode wrote.
func Decode(word string) (Request, error) {
	var r Request
	b, err := base64.RawURLEncoding.DecodeString(word)
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err == nil {
		err = r.Check()
	}
	if err != nil {
		return Request{}, fmt.Errorf("request for worlds: %w", err)
	}
	return r, nil
}

// Limits of a request, far beyond what a run would end with.
const (
	maxSize   = 6
	maxRandom = 100_000_000
)

// Check says what is wrong with the request, or nil.
func (r *Request) Check() error {
	if r.World != "" {
		_, err := model.Parse(r.World)
		return err
	}
	if r.Bounds.Size < 0 || r.Bounds.Size > maxSize || r.Bounds.Mounts < 0 || r.Bounds.Mounts >= model.MaxMounts-1 || r.Bounds.Sample < 0 || r.Random < 0 || r.Random > maxRandom {
		return fmt.Errorf("want a size from 0 to %d and from 0 to %d random worlds", maxSize, maxRandom)
	}
	return nil
}

// Each calls yield with every world of the request, in a fixed order, each once within either kind.
// The world is valid during the call only.
func (r Request) Each(yield func(*model.World) bool) {
	if r.World != "" {
		if w, err := model.Parse(r.World); err == nil {
			yield(&w)
		}
		return
	}
	more := true
	All(r.Bounds, func(w *model.World) bool {
		more = yield(w)
		return more
	})
	if more {
		Random(r.Seed, r.Random, yield)
	}
}

// Count returns how many worlds Each calls yield with.
func (r Request) Count() int {
	n := 0
	r.Each(func(*model.World) bool {
		n++
		return true
	})
	return n
}
