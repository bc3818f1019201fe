package groupmessage

import (
	"slices"
	"strconv"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// priority is how much a message matters beside others, by its name on the wire; empty is normal.
type priority string

// UnmarshalText refuses names that there are not.
func (p *priority) UnmarshalText(text []byte) error {
	if len(text) > 0 && !slices.Contains(priorities(), priority(text)) {
		return im.Errorf(im.CodeGroupParameter, "%.20q is no priority: want High, Normal, Low or Lowest", text)
	}
	*p = priority(text)
	return nil
}

func (p priority) flags() chat.Flags {
	return map[priority]chat.Flags{"High": chat.High, "Low": chat.Low, "Lowest": chat.Lowest}[p]
}

// priorities are the names in the order of their numbers, from 1.
func priorities() []priority { return []priority{"High", "Normal", "Low", "Lowest"} }

// priorityOf reads it back.
func priorityOf(f chat.Flags) priority {
	for _, p := range priorities() {
		if own := p.flags(); own != 0 && f.Has(own) {
			return p
		}
	}
	return "Normal"
}

// named is the priority of a message as its name.
func named(f chat.Flags) wire.Raw { return wire.Raw(strconv.Quote(string(priorityOf(f)))) }

// numbered is the priority of a message as its number.
func numbered(f chat.Flags) wire.Raw {
	return wire.Raw(strconv.Itoa(slices.Index(priorities(), priorityOf(f)) + 1))
}
