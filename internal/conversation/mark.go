package conversation

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

type markRequest struct {
	From  string     `json:"From_Account"`
	Items []markItem `json:"MarkItem"`
}

// markItem is what to do with the marks of one conversation, its own data, or both, as Kind says.
type markItem struct {
	Kind    int     `json:"OptType"`
	Contact contact `json:"ContactItem"`
	Set     []int   `json:"SetMark"`
	Clear   []int   `json:"ClearMark"`
	Custom  string  `json:"CustomMark"`
}

// The values of OptType.
const (
	markStandard = 1 << iota
	markCustom
	markBoth = markStandard | markCustom
)

type markResult struct {
	Kind    int     `json:"OptType"`
	Contact contact `json:"ContactItem"`
	Code    im.Code `json:"ResultCode"`
	Info    string  `json:"ResultInfo"`
}

type markReply struct {
	Results []markResult `json:"ResultItem"`
}

// The bounds of marks, as the interface has them.
const (
	mostMarked      = 1000 // conversations of an account that have marks or a folder
	markNumbers     = 64
	maxCustomBytes  = 256
	mostMarksInCall = 100
)

// featureMarks is the bit by which clients know that conversations have marks.
const featureMarks command.Feature = 9

func (c *Conversations) markCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "mark_contact", By: command.Administrator | command.Account, Family: family(), Feature: featureMarks,
		Doc: "mark conversations, or give them data of one's own", Section: "rest.md#mark_contact",
	}, c.mark)
}

// mark acts upon each conversation for itself: what is refused has its code in the reply.
func (c *Conversations) mark(ctx context.Context, call *command.Call, r *markRequest) (*markReply, error) {
	if len(r.Items) == 0 || len(r.Items) > mostMarksInCall {
		return nil, im.Errorf(im.CodeConversationMarks, "%d conversations in one call: want 1 to %d", len(r.Items), mostMarksInCall)
	}
	owner, err := c.owner(ctx, call, r.From)
	if err != nil {
		return nil, err
	}
	contacts := make([]contact, len(r.Items))
	for i, one := range r.Items {
		contacts[i] = one.Contact
	}
	all, err := c.targets(ctx, call, owner, contacts)
	if err != nil {
		return nil, err
	}
	var (
		told    *pushedMarks
		refused []error
	)
	err = c.choose(ctx, owner, func(ch *chooser) (error, error) {
		told, refused = ch.markAll(r.Items, all)
		return nil, nil
	})
	if err != nil {
		return nil, err
	}
	reply := &markReply{}
	for i, one := range r.Items {
		code, info := outcome(refused[i])
		reply.Results = append(reply.Results, markResult{one.Kind, one.Contact, code, info})
	}
	if len(told.List) > 0 {
		c.push(call, owner.ID, changes.Of([]change{{PushType: pushMarked, Marked: told}}))
	}
	return reply, nil
}

// outcome is what a list of results says of one of its conversations.
func outcome(refused error) (code im.Code, info string) {
	if refusal, ok := im.Refusal(refused); ok {
		return refusal.Code, refusal.Info
	}
	return im.CodeOK, ""
}

// markAll marks conversations, and gives what is to be told of them, and why one is not marked.
func (c *chooser) markAll(items []markItem, all []target) (told *pushedMarks, refused []error) {
	told, refused = &pushedMarks{}, make([]error, len(items))
	for i := range items {
		one, of := &items[i], &all[i]
		if refused[i] = of.refused; refused[i] == nil {
			refused[i] = one.check()
		}
		if refused[i] == nil {
			refused[i] = c.room(of.choiceKey)
		}
		if refused[i] != nil {
			continue
		}
		now := c.set(of.choiceKey)
		one.apply(now)
		told.List = append(told.List, pushedMark{one.Kind, of.pushed(), now.marks.text(), now.custom})
	}
	return told, refused
}

// room refuses one more conversation that carries something, if there are too many.
func (c *chooser) room(key choiceKey) error {
	if one := c.all[key]; one != nil && one.carries() {
		return nil
	}
	if c.all.count((*choice).carries) >= mostMarked {
		return im.Errorf(im.CodeConversationChosen, "%d conversations have marks or a conversation group already", mostMarked)
	}
	return nil
}

func (i *markItem) check() error {
	if i.Kind < markStandard || i.Kind > markBoth {
		return im.Errorf(im.CodeConversationParameter, "OptType is %d: want 1, 2 or 3", i.Kind)
	}
	for _, number := range append(i.Set[:len(i.Set):len(i.Set)], i.Clear...) {
		if number < 0 || number >= markNumbers {
			return im.Errorf(im.CodeConversationParameter, "mark %d: want 0 to %d", number, markNumbers-1)
		}
	}
	if len(i.Custom) > maxCustomBytes {
		return im.Errorf(im.CodeConversationParameter, "CustomMark has %d bytes: want at most %d", len(i.Custom), maxCustomBytes)
	}
	return nil
}

func (i *markItem) apply(to *choice) {
	if i.Kind&markStandard != 0 {
		for _, number := range i.Set {
			to.marks |= 1 << number
		}
		for _, number := range i.Clear {
			to.marks &^= 1 << number
		}
	}
	if i.Kind&markCustom != 0 {
		to.custom = wire.Text(i.Custom)
	}
}

// text writes the set as the interface writes marks: 64 digits, the rightmost for 0. The empty set is empty.
func (b bitSet) text() string {
	if b == 0 {
		return ""
	}
	return fmt.Sprintf("%064b", uint64(b))
}
