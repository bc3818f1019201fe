package setting

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Int declares a whole number from Low to High.
func Int(spec Spec[int]) *Setting[int] {
	return &Setting[int]{spec: spec, kind: TypeNumber, format: strconv.Itoa, parse: func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < spec.Low || n > spec.High {
			return 0, fmt.Errorf("want a whole number from %d to %d", spec.Low, spec.High)
		}
		return n, nil
	}}
}

// Bool declares a switch, which is on or off.
func Bool(spec Spec[bool]) *Setting[bool] {
	const on, off = "on", "off"
	format := func(is bool) string {
		if is {
			return on
		}
		return off
	}
	return &Setting[bool]{spec: spec, kind: TypeSwitch, format: format, parse: func(text string) (bool, error) {
		if text != on && text != off {
			return false, errors.New("want on or off")
		}
		return text == on, nil
	}}
}

// Text declares a text of at most High bytes.
func Text(spec Spec[string]) *Setting[string] {
	same := func(text string) string { return text }
	return &Setting[string]{spec: spec, kind: TypeText, format: same, parse: func(text string) (string, error) {
		if len(text) > spec.High {
			return "", fmt.Errorf("want at most %d bytes", spec.High)
		}
		return text, nil
	}}
}

// Choice declares one word of a few.
func Choice[T ~string](spec Spec[T], among ...T) *Setting[T] {
	choices := make([]string, len(among))
	for i, word := range among {
		choices[i] = string(word)
	}
	format := func(word T) string { return string(word) }
	return &Setting[T]{spec: spec, kind: TypeChoice, choices: choices, format: format, parse: func(text string) (T, error) {
		if !slices.Contains(choices, text) {
			return "", fmt.Errorf("want one of %s", join(choices, ", "))
		}
		return T(text), nil
	}}
}

// List declares at most High words, split by commas. Blanks around a word, empty words and repetitions do not matter.
func List(spec Spec[[]string]) *Setting[[]string] {
	format := func(words []string) string { return join(words, ",") }
	return &Setting[[]string]{spec: spec, kind: TypeList, format: format, parse: func(text string) ([]string, error) {
		var words []string
		for word := range strings.SplitSeq(text, ",") {
			if word = strings.TrimSpace(word); word == "" || slices.Contains(words, word) {
				continue
			}
			if words = append(words, word); len(words) > spec.High {
				return nil, fmt.Errorf("want at most %d, split by commas", spec.High)
			}
		}
		return words, nil
	}}
}

func join(words []string, between string) string { return strings.Join(words, between) }
