package annotate

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

const (
	extensionFeature = "extension"
	extensionBit     = 13 // of the features that clients ask for
)

// Extension is a value that is attached to a message under a name; an empty value is none.
type Extension struct {
	Name  string `json:"Key"`
	Value string `json:"Value"`
	// Seq is the write that set the value, counted for the message; in a request the one that the caller knows of, 0 for none.
	Seq int64 `json:"Seq"`
}

// Operation is what is done to extensions. Its numbers are the interface's.
type Operation int

// The operations.
const (
	SetExtensions    Operation = 1
	DeleteExtensions Operation = 2
	ClearExtensions  Operation = 3
)

// ExtensionChange is what a call has changed.
type ExtensionChange struct {
	By        *im.Actor
	Operation Operation
	// List has what was set, or deleted and so is empty now; nothing when all were cleared.
	List []Extension
	// Seq is the message's newest write.
	Seq int64
}

type extendRequest struct {
	Naming
	Operation Operation   `json:"OperateType"`
	List      []Extension `json:"ExtensionList"`
}

// extensionResult is what became of one extension, as it stands now.
type extensionResult struct {
	Code      im.Code   `json:"ErrorCode"`
	Extension Extension `json:"Extension"`
}

type extendReply struct {
	List []extensionResult `json:"ExtensionList"`
	Seq  int64             `json:"Seq"`
}

// extensionCommands are those of one kind of chat.
func (a *Annotations) extensionCommands(k Kind) []command.Command {
	spec := func(name, doc string) command.Spec {
		return command.Spec{
			Service: service, Name: k.Prefix + name, By: command.Administrator | command.Account, Family: im.FamilyGroup(),
			Feature: extensionBit, Codes: k.Codes, Doc: doc, Section: "rest.md#" + k.Prefix + name,
		}
	}
	return []command.Command{
		command.New(spec("set_key_values", "set, delete or clear the extensions of a message"),
			func(ctx context.Context, call *command.Call, r *extendRequest) (*extendReply, error) {
				return a.extend(ctx, k, call, r)
			}),
		command.New(spec("get_key_values", "read the extensions of a message"),
			func(ctx context.Context, call *command.Call, r *extensionsRequest) (*extensionsReply, error) {
				return a.extensions(ctx, k, call, r)
			}),
	}
}

func mayExtend(call *command.Call) error {
	if !extensionsOn.Of(call.App) {
		return im.Errorf(im.CodeGroupRequest, "extensions are off in this application: see the setting message.extensions")
	}
	return nil
}

// extending is a change of a message's extensions under way.
type extending struct {
	at        Chat
	call      *command.Call
	naming    *Naming
	operation Operation
	asked     []Extension

	message *chat.Message
	reply   extendReply
	changed []Extension
}

// extend answers for each extension by itself: a client that does not know of the newest write is told what it says now.
func (a *Annotations) extend(ctx context.Context, k Kind, call *command.Call, r *extendRequest) (*extendReply, error) {
	if err := mayExtend(call); err != nil {
		return nil, err
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	at, err := k.Open(ctx, callerOf(call, extensionFeature), &r.Naming)
	if err != nil {
		return nil, err
	}
	e := &extending{at: at, call: call, naming: &r.Naming, operation: r.Operation, asked: r.List}
	if err := a.change(ctx, func(tx *db.Tx) error { return a.write(ctx, tx, e) }); err != nil {
		return nil, err
	}
	if len(e.changed) > 0 || e.operation == ClearExtensions {
		a.announceExtensions(ctx, e)
	}
	return &e.reply, nil
}

// The bounds of extensions, by the interface.
const (
	mostExtensions      = 300 // of a message
	mostExtensionsACall = 20
	mostNameBytes       = 100
	mostValueBytes      = 1000
	mostWritesAMinute   = 200 // of one message
)

// check refuses a request that is not well-formed.
func (r *extendRequest) check() error {
	switch {
	case r.Operation < SetExtensions || r.Operation > ClearExtensions:
		return im.Errorf(im.CodeGroupParameter, "OperateType is %d: want 1 to set, 2 to delete, or 3 to clear", r.Operation)
	case r.Operation == ClearExtensions:
		r.List = nil
		return nil
	case len(r.List) == 0 || len(r.List) > mostExtensionsACall:
		return im.Errorf(im.CodeGroupParameter, "ExtensionList has %d extensions: want 1 to %d", len(r.List), mostExtensionsACall)
	}
	names := map[string]bool{}
	for i := range r.List {
		one := &r.List[i]
		one.Name, one.Value = wire.Text(one.Name), wire.Text(one.Value)
		switch {
		case one.Name == "" || len(one.Name) > mostNameBytes:
			return im.Errorf(im.CodeGroupParameter, "a Key has %d bytes: want 1 to %d", len(one.Name), mostNameBytes)
		case names[one.Name]:
			return im.Errorf(im.CodeGroupParameter, "Key %.40q is there twice", one.Name)
		case r.Operation == SetExtensions && (one.Value == "" || len(one.Value) > mostValueBytes):
			return im.Errorf(im.CodeGroupParameter, "the Value of %.40q has %d bytes: want 1 to %d", one.Name, len(one.Value), mostValueBytes)
		}
		names[one.Name] = true
	}
	return nil
}

// extendable finds the message, which must have been sent with support for extensions.
func (a *Annotations) extendable(ctx context.Context, from db.Source, at Chat, n *Naming) (*chat.Message, error) {
	m, err := find(ctx, from, at, n)
	switch {
	case err != nil:
		return nil, err
	case m == nil:
		return nil, errNotExtendable()
	case !m.Flags.Has(chat.Extensible):
		return nil, im.Errorf(im.CodeExtensionUnsupported, "the message was sent without SupportMessageExtension")
	}
	return m, nil
}

func errNotExtendable() error {
	return im.Errorf(im.CodeExtensionUnknown, "there is no such message")
}

// extensionCounters are what a message's row says of its extensions.
type extensionCounters struct {
	seq, cleared   int64
	minute, writes int64
}

// count counts a call that writes at a unix minute, or refuses one that is too many.
func (c *extensionCounters) count(minute int64) error {
	if c.minute != minute {
		c.minute, c.writes = minute, 0
	}
	if c.writes >= mostWritesAMinute {
		return im.Errorf(im.CodeExtensionRate, "the extensions of the message were written %d times in this minute", c.writes)
	}
	c.writes++
	return nil
}

// write stores the change.
func (a *Annotations) write(ctx context.Context, tx *db.Tx, e *extending) (err error) {
	e.reply, e.changed = extendReply{List: []extensionResult{}}, nil
	if e.message, err = a.extendable(ctx, tx, e.at, e.naming); err != nil {
		return err
	}
	held, err := a.lockOne(ctx, tx, e.message)
	if err != nil {
		return err
	}
	if held == nil {
		return errNotExtendable()
	}
	if err := held.count(tx.Now().Unix() / 60); err != nil {
		return err
	}
	if e.operation == ClearExtensions {
		held.cleared = held.seq
		_, err = tx.Exec(`DELETE FROM extension WHERE message_id = $1`, held.message)
	} else {
		err = e.put(ctx, tx, held)
	}
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE annotation SET ext_seq = $1, ext_cleared = $2, ext_minute = $3, ext_writes = $4 WHERE message_id = $5`,
		held.seq, held.cleared, held.minute, held.writes, held.message)
	e.reply.Seq = held.seq
	if err != nil || len(e.changed) == 0 && e.operation != ClearExtensions {
		return err
	}
	return e.at.TellExtensions(tx, e.message, &ExtensionChange{&e.call.Actor, e.operation, e.changed, held.seq})
}

// put writes the extensions that a call sets or deletes.
func (e *extending) put(ctx context.Context, tx *db.Tx, held *row) error {
	known, err := readExtensions(ctx, tx, held.message)
	if err != nil {
		return err
	}
	for _, one := range e.asked {
		now := known[one.Name]
		now.Name = one.Name
		result := extensionResult{Extension: now}
		switch {
		case !e.call.Admin() && one.Seq != now.Seq && (now.Value != "" || one.Seq != 0):
			result.Code = im.CodeExtensionConflict
		case e.operation == SetExtensions || now.Value != "":
			held.seq++
			result.Extension = Extension{Name: one.Name, Seq: held.seq}
			if e.operation == SetExtensions {
				result.Extension.Value = one.Value
			}
			known[one.Name], e.changed = result.Extension, append(e.changed, result.Extension)
		}
		e.reply.List = append(e.reply.List, result)
	}
	if err := fits(known); err != nil {
		return err
	}
	if err := putExtensions(tx, held.message, e.changed); err != nil {
		return err
	}
	return dropDeleted(tx, held.message, known)
}

func fits(known map[string]Extension) error {
	n := 0
	for _, one := range known {
		if one.Value != "" {
			n++
		}
	}
	if n > mostExtensions {
		return im.Errorf(im.CodeGroupParameter, "the message would have %d extensions: want at most %d", n, mostExtensions)
	}
	return nil
}

func putExtensions(tx *db.Tx, message int64, changed []Extension) error {
	const width = 4
	err := db.Chunks(tx, width, changed, func(chunk []Extension) error {
		args := make([]any, 0, width*len(chunk))
		for _, one := range chunk {
			args = append(args, message, one.Name, one.Value, one.Seq)
		}
		_, err := tx.Exec(`INSERT INTO extension (message_id, name, value, seq) VALUES `+db.RowsOf(len(chunk), `(?,?,?,?)`)+`
			ON CONFLICT (message_id, name) DO UPDATE SET value = excluded.value, seq = excluded.seq`, args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("store extensions: %w", err)
	}
	return nil
}
