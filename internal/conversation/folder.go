package conversation

import (
	"context"
	"fmt"
	"math/bits"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// folder is a named set of an owner's conversations.
type folder struct {
	Number int    `json:"GroupId"`
	Name   string `json:"GroupName"`
}

// The bounds of folders, as the interface has them; a folder's number is a bit of the conversations that it holds.
const (
	mostFolders    = 20
	maxFolderBytes = 32
	folderNumbers  = 64
)

// featureFolders is the bit by which clients know that there are folders.
const featureFolders command.Feature = 10

// folders lists an owner's folders.
func (c *Conversations) folders(ctx context.Context, from db.Source, owner im.AccountID) ([]folder, error) {
	all, err := db.All(ctx, from, func(row db.Scanner) (one folder, err error) { return one, row(&one.Number, &one.Name) },
		`SELECT number, name FROM folder WHERE owner_id = $1 ORDER BY number`, int64(owner))
	if err != nil {
		return nil, fmt.Errorf("read folders: %w", err)
	}
	return append([]folder{}, all...), nil
}

// named finds the folder of that name; nil: there is none.
func named(all []folder, name string) *folder {
	for i := range all {
		if all[i].Name == name {
			return &all[i]
		}
	}
	return nil
}

func errNoFolder(name string) error {
	return im.Errorf(im.CodeConversationNoFolder, "there is no conversation group %.40q", name)
}

// fresh checks the name of a folder that is to be there.
func fresh(all []folder, name string) error {
	switch {
	case name == "":
		return im.Errorf(im.CodeConversationParameter, "the conversation group has no name")
	case len(name) > maxFolderBytes:
		return im.Errorf(im.CodeConversationName, "the name has %d bytes: want at most %d", len(name), maxFolderBytes)
	case named(all, name) != nil:
		return im.Errorf(im.CodeConversationParameter, "there is a conversation group %.40q already", name)
	}
	return nil
}

// list gives the numbers of the set in their order.
func (b bitSet) list() []int {
	list := make([]int, 0, bits.OnesCount64(uint64(b)))
	for n := range folderNumbers {
		if b.has(n) {
			list = append(list, n)
		}
	}
	return list
}

type makeFolderRequest struct {
	From    string       `json:"From_Account"`
	Folders []makeFolder `json:"GroupContactItem"`
}

type makeFolder struct {
	Name     string    `json:"GroupName"`
	Contacts []contact `json:"ContactItem"`
}

type folderResult struct {
	Kind    int     `json:"ContactOptType"`
	Contact contact `json:"ContactItem"`
	Code    im.Code `json:"ResultCode"`
	Info    string  `json:"ResultInfo"`
}

type madeFolder struct {
	Folder  folder         `json:"GroupItem"`
	Results []folderResult `json:"ResultItem"`
}

type makeFolderReply struct {
	Folders []madeFolder `json:"GroupResultItem"`
}

func (c *Conversations) makeFolderCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "create_contact_group", By: command.Administrator | command.Account, Family: family(), Feature: featureFolders,
		Doc: "make a conversation group", Section: "rest.md#create_contact_group",
	}, c.makeFolder)
}

func (c *Conversations) makeFolder(ctx context.Context, call *command.Call, r *makeFolderRequest) (*makeFolderReply, error) {
	if len(r.Folders) != 1 {
		return nil, im.Errorf(im.CodeConversationParameter, "GroupContactItem has %d conversation groups: want one", len(r.Folders))
	}
	name := wire.Text(r.Folders[0].Name)
	p, err := c.putting(ctx, call, r.From, allOf(r.Folders[0].Contacts, putInto))
	if err != nil {
		return nil, err
	}
	var made folder
	err = c.choose(ctx, p.owner, func(ch *chooser) (refused, err error) {
		all, err := c.folders(ctx, ch.tx, p.owner.ID)
		if err != nil {
			return nil, err
		}
		if refused = fresh(all, name); refused == nil && len(all) >= mostFolders {
			refused = im.Errorf(im.CodeConversationFolders, "there are %d conversation groups already", mostFolders)
		}
		if refused != nil {
			return refused, nil
		}
		made = folder{free(all), name}
		p.put(ch, made.Number)
		ch.then = func() error {
			_, err := ch.tx.Exec(`INSERT INTO folder (owner_id, number, name) VALUES ($1, $2, $3)`, int64(p.owner.ID), made.Number, name)
			return err
		}
		return nil, nil
	})
	if err != nil {
		return nil, err
	}
	told := pushedFolder{Folder: made, Contacts: []pushedContact{}}
	for _, one := range p.done {
		told.Contacts = append(told.Contacts, one.Contact)
	}
	c.push(call, p.owner.ID, changes.Of([]change{{PushType: pushFolderMade, Made: &pushedFolders{[]pushedFolder{told}}}}))
	return &makeFolderReply{[]madeFolder{{made, p.results}}}, nil
}

// free is a number that no folder has. That of a folder which is gone comes late again, for devices that have not heard of it.
func free(all []folder) int {
	var taken bitSet
	next := 1
	for _, one := range all {
		taken |= 1 << one.Number
		next = max(next, one.Number+1)
	}
	if next < folderNumbers {
		return next
	}
	return bits.TrailingZeros64(^uint64(taken | 1))
}

type removeFolderRequest struct {
	From  string   `json:"From_Account"`
	Names []string `json:"GroupName"`
}

type removeFolderReply struct {
	Folders []folder `json:"GroupItem"`
}

func (c *Conversations) removeFolderCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "del_contact_group", By: command.Administrator | command.Account, Family: family(),
		Doc: "remove a conversation group", Section: "rest.md#del_contact_group",
	}, c.removeFolder)
}

// removeFolder removes a folder; the conversations in it stay.
func (c *Conversations) removeFolder(ctx context.Context, call *command.Call, r *removeFolderRequest) (*removeFolderReply, error) {
	if len(r.Names) != 1 {
		return nil, im.Errorf(im.CodeConversationParameter, "GroupName has %d names: want one", len(r.Names))
	}
	owner, err := c.owner(ctx, call, r.From)
	if err != nil {
		return nil, err
	}
	var removed folder
	err = c.choose(ctx, owner, func(ch *chooser) (refused, err error) {
		all, err := c.folders(ctx, ch.tx, owner.ID)
		if err != nil {
			return nil, err
		}
		found := named(all, wire.Text(r.Names[0]))
		if found == nil {
			return errNoFolder(r.Names[0]), nil
		}
		removed = *found
		return nil, ch.empty(removed.Number)
	})
	if err != nil {
		return nil, err
	}
	gone := []folder{removed}
	c.push(call, owner.ID, changes.Of([]change{{PushType: pushFolderRemoved, Removed: &removedFolders{gone}}}))
	return &removeFolderReply{gone}, nil
}

// empty takes all conversations out of a folder, and the folder away.
func (c *chooser) empty(number int) error {
	for key, one := range c.all {
		if one.folders.has(number) {
			c.set(key).folders &^= 1 << number
		}
	}
	_, err := c.tx.Exec(`DELETE FROM folder WHERE owner_id = $1 AND number = $2`, int64(c.owner), number)
	return err
}
