// Package setting is how a room declares what an operator may choose for one application, and how it reads what was
// chosen.
//
// A room declares a setting beside the rule that follows it, lists it in Settings(), and reads it with Of. A Table of all
// declared settings turns texts into values and refuses texts that no value has. The package does not know where the texts are
// stored, nor what any setting means.
package setting

import (
	"fmt"
	"strings"

	"github.com/magpie-im/magpie/internal/im"
)

// Spec is the declaration of a setting.
type Spec[T any] struct {
	// Name is the setting's name in storage and on the command line, "message.recall_seconds". In a group it is the last
	// part alone, "url".
	Name string
	// Default holds until somebody chooses. Of a list it is nil.
	Default T
	// Low and High bound a number. High alone bounds the bytes of a text and the words of a list. A switch and a choice
	// have no bounds.
	Low, High int
	// Unit is what a number counts, "seconds"; empty when Doc says it.
	Unit string
	// Doc is one line that says what the setting does.
	Doc string
	// Secret says that the value is never shown again, only whether there is one.
	Secret bool
	// Check refuses values that type and bounds allow. Its error begins with "want"; nil allows them all. The value of a
	// list is the whole list.
	Check func(T) error
}

// Type is what kind of value a setting takes, in words.
type Type string

// The types of settings.
const (
	TypeNumber Type = "number" // a whole number
	TypeSwitch Type = "switch" // on or off
	TypeText   Type = "text"
	TypeChoice Type = "choice" // one of a few words
	TypeList   Type = "list"   // words, split by commas
)

// Description is a declared setting for people and for a console that draws it.
type Description struct {
	Name, Unit, Doc string
	Type            Type
	// Low and High are the bounds of Spec.
	Low, High int
	// Choices are the words that a choice takes.
	Choices []string
	// Default is the default's text.
	Default string
	Secret  bool
	// Group is the prefix of the setting's group, "webhook"; empty outside of one.
	Group string
}

// Range says in words which values the setting takes, with the unit.
func (d *Description) Range() string {
	switch d.Type {
	case TypeNumber:
		return strings.TrimSpace(fmt.Sprintf("%d to %d %s", d.Low, d.High, d.Unit))
	case TypeSwitch:
		return "on, off"
	case TypeChoice:
		return join(d.Choices, ", ")
	case TypeList:
		return fmt.Sprintf("up to %d, split by commas", d.High)
	default:
		return fmt.Sprintf("up to %d bytes", d.High)
	}
}

// Setting is a declared setting with values of the type T. It never changes.
type Setting[T any] struct {
	spec    Spec[T]
	kind    Type
	choices []string
	// parse reads a text; its error begins with "want". format writes a value as parse reads it.
	parse  func(text string) (T, error)
	format func(T) string
}

// Of returns what holds for the application. It costs no lock and no allocation. The caller must not change the words
// of a list.
func (s *Setting[T]) Of(app *im.App) T { return s.In(app.Chosen) }

// In is Of for what was chosen, such as for one member of a group.
func (s *Setting[T]) In(chosen im.Choices) T {
	if chosen != nil {
		if value, ok := chosen.Choice(s); ok {
			return value.(T)
		}
	}
	return s.spec.Default
}

// Error is the refusal of a setting's name or value. It does not repeat a secret.
type Error struct{ Name, Problem string }

// Error names the setting and what it takes.
func (e *Error) Error() string { return fmt.Sprintf("%.80s: %s", e.Name, e.Problem) }

// Declaration is a declared setting of any type, or a declared group.
type Declaration interface{ declare(t *Table) }

// Field is a declared setting of any type.
type Field interface{ untyped() untyped }

// untyped is a setting without its type.
type untyped struct {
	Description
	// key is the *Setting, by which its value is found.
	key any
	// read gives a text's value, and the text that is stored for the value.
	read func(text string) (value any, written string, err error)
}

func (s *Setting[T]) untyped() untyped {
	return untyped{
		Description: Description{
			Name: s.spec.Name, Unit: s.spec.Unit, Doc: s.spec.Doc, Type: s.kind, Low: s.spec.Low, High: s.spec.High,
			Choices: s.choices, Default: s.format(s.spec.Default), Secret: s.spec.Secret,
		},
		key: s, read: s.read,
	}
}

func (s *Setting[T]) read(text string) (any, string, error) {
	value, err := s.parse(text)
	if err == nil && s.spec.Check != nil {
		err = s.spec.Check(value)
	}
	if err != nil {
		return nil, "", err
	}
	return value, s.format(value), nil
}

func (s *Setting[T]) declare(t *Table) {
	e := s.untyped()
	t.add(e)
	t.order = append(t.order, e.Description)
}
