package conversation

import (
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// The values of UpdateType, UpdateGroupType and ContactOptType.
const (
	byFolder      = 1
	folderRenamed = 1
	folderFilled  = 2
	putInto       = 1
	takenOut      = 2
)

// mostInCall bounds the conversations that one call puts into a folder or takes out.
const mostInCall = 100

type editFolderRequest struct {
	From   string     `json:"From_Account"`
	Kind   int        `json:"UpdateType"`
	Folder editFolder `json:"UpdateGroup"`
}

// editFolder gives a folder another name, or puts conversations into it and takes them out, as Kind says.
type editFolder struct {
	Kind     int          `json:"UpdateGroupType"`
	OldName  string       `json:"OldGroupName"`
	NewName  string       `json:"NewGroupName"`
	Contacts []moveFolder `json:"ContactUpdateItem"`
}

type moveFolder struct {
	Kind    int     `json:"ContactOptType"`
	Contact contact `json:"ContactItem"`
}

type editedFolder struct {
	Kind    int            `json:"UpdateGroupType"`
	Number  int            `json:"GroupId"`
	Name    string         `json:"GroupName"`
	OldName string         `json:"OldGroupName"`
	Results []folderResult `json:"ContactResultItem"`
}

type editFolderReply struct {
	Kind   int          `json:"UpdateType"`
	Folder editedFolder `json:"UpdateGroupResult"`
}

func (c *Conversations) editFolderCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "update_contact_group", By: command.Administrator | command.Account, Family: family(),
		Doc: "rename a conversation group, or change what is in it", Section: "rest.md#update_contact_group",
	}, c.editFolder)
}

func (c *Conversations) editFolder(ctx context.Context, call *command.Call, r *editFolderRequest) (*editFolderReply, error) {
	f := &r.Folder
	if r.Kind != byFolder || f.Kind != folderRenamed && f.Kind != folderFilled {
		return nil, im.Errorf(im.CodeConversationParameter, "UpdateType is %d and UpdateGroupType %d: want 1, and 1 or 2", r.Kind, f.Kind)
	}
	if f.Kind == folderRenamed {
		f.Contacts = nil
	}
	p, err := c.putting(ctx, call, r.From, f.Contacts)
	if err != nil {
		return nil, err
	}
	done := editedFolder{Kind: f.Kind, OldName: f.OldName}
	err = c.choose(ctx, p.owner, func(ch *chooser) (refused, err error) {
		all, err := c.folders(ctx, ch.tx, p.owner.ID)
		if err != nil {
			return nil, err
		}
		found := named(all, wire.Text(f.OldName))
		if found == nil {
			return errNoFolder(f.OldName), nil
		}
		done.Number, done.Name = found.Number, found.Name
		if f.Kind == folderFilled {
			p.put(ch, found.Number)
			return nil, nil
		}
		done.Name = wire.Text(f.NewName)
		if refused := fresh(all, done.Name); refused != nil && done.Name != found.Name {
			return refused, nil
		}
		_, err = ch.tx.Exec(`UPDATE folder SET name = $3 WHERE owner_id = $1 AND number = $2`, int64(p.owner.ID), found.Number, done.Name)
		return nil, err
	})
	if err != nil {
		return nil, err
	}
	if f.Kind == folderRenamed || len(p.done) > 0 {
		told := changedFolder{Kind: done.Kind, Number: done.Number, Name: done.Name, OldName: done.OldName, Contacts: p.done}
		c.push(call, p.owner.ID, changes.Of([]change{{PushType: pushFolderChanged, Changed: &changedByFolder{byFolder, told}}}))
	}
	done.Results = p.results
	return &editFolderReply{byFolder, done}, nil
}

// putting is a change under way of what is in a folder: each conversation by itself, as far as it is not refused.
type putting struct {
	owner   account.Account
	moves   []moveFolder
	targets []target
	results []folderResult
	done    []movedContact
}

func (c *Conversations) putting(ctx context.Context, call *command.Call, ownerID string, moves []moveFolder) (*putting, error) {
	if len(moves) > mostInCall {
		return nil, im.Errorf(im.CodeConversationMarks, "%d conversations in one call: want at most %d", len(moves), mostInCall)
	}
	owner, err := c.owner(ctx, call, ownerID)
	if err != nil {
		return nil, err
	}
	p := &putting{owner: owner, moves: moves}
	contacts := make([]contact, len(moves))
	for i, one := range moves {
		contacts[i] = one.Contact
	}
	p.targets, err = c.targets(ctx, call, owner, contacts)
	return p, err
}

// allOf is the same move for all.
func allOf(contacts []contact, kind int) []moveFolder {
	moves := make([]moveFolder, len(contacts))
	for i, one := range contacts {
		moves[i] = moveFolder{kind, one}
	}
	return moves
}

// put makes the moves.
func (p *putting) put(ch *chooser, number int) {
	p.results, p.done = []folderResult{}, nil
	for i, move := range p.moves {
		of := &p.targets[i]
		refused := of.refused
		switch {
		case refused != nil:
		case move.Kind == putInto:
			if refused = ch.room(of.choiceKey); refused == nil {
				ch.set(of.choiceKey).folders |= 1 << number
			}
		case move.Kind == takenOut:
			ch.set(of.choiceKey).folders &^= 1 << number
		default:
			refused = im.Errorf(im.CodeConversationParameter, "ContactOptType is %d: want 1 or 2", move.Kind)
		}
		if refused == nil {
			p.done = append(p.done, movedContact{move.Kind, of.pushed()})
		}
		code, info := outcome(refused)
		p.results = append(p.results, folderResult{move.Kind, move.Contact, code, info})
	}
}
