package official

import (
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// profile is what a request says of an official account; nil leaves it as it is, or empty.
type profile struct {
	Name         *string      `json:"Name"`
	Introduction *string      `json:"Introduction"`
	FaceURL      *string      `json:"FaceUrl"`
	Organization *string      `json:"Organization"`
	Custom       *string      `json:"CustomString"`
	Most         *wire.Number `json:"MaxSubscriberNum"`
}

// The largest texts of a profile, in bytes.
const (
	maxName         = 150
	maxIntroduction = 400
	maxText         = 500
	maxCustom       = 3000
)

// check refuses what is too large, and brings the texts into the form in which they are stored.
func (p *profile) check(call *command.Call) error {
	for _, one := range []struct {
		field string
		text  *string
		most  int
	}{
		{"Name", p.Name, maxName},
		{"Introduction", p.Introduction, maxIntroduction},
		{"FaceUrl", p.FaceURL, maxText},
		{"Organization", p.Organization, maxText},
		{"CustomString", p.Custom, maxCustom},
	} {
		if one.text == nil {
			continue
		}
		if len(*one.text) > one.most {
			return im.Errorf(im.CodeGroupParameter, "%s has %d bytes: want at most %d", one.field, len(*one.text), one.most)
		}
		*one.text = wire.Text(*one.text)
	}
	if p.Name != nil && *p.Name == "" {
		return im.Errorf(im.CodeGroupParameter, "Name is empty")
	}
	if most := maxSubscribers.Of(call.App); p.Most != nil && (*p.Most < 0 || int(*p.Most) > most) {
		return im.Errorf(im.CodeGroupParameter, "MaxSubscriberNum is %d: want 1 to %d (the application's setting %s)", *p.Most, most, "official.max_subscribers")
	}
	return nil
}

// most is the bound that a request gives; 0, which typed languages write for what they were not given, and none are 0.
func (p *profile) most() int64 {
	if p.Most == nil {
		return 0
	}
	return int64(*p.Most)
}

func text(given *string) string {
	if given == nil {
		return ""
	}
	return *given
}
