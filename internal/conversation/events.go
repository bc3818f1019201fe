package conversation

import "github.com/magpie-im/magpie/internal/event"

// changes tells an account's other devices what became of its conversations.
var changes = event.Define[[]change](11, "RecentContactMod")

// Events lists what the room pushes.
func (c *Conversations) Events() []event.Declared {
	return []event.Declared{changes.Declaration(), mutes.Declaration(), quietTimes.Declaration(), readAll.Declaration()}
}

// The values of PushType.
const (
	pushDeleted = iota + 1
	pushPinned
	pushUnpinned
	pushMarked
	pushFolderMade
	pushFolderRemoved
	pushFolderChanged
)

// change is one change; the member that its PushType names is there.
type change struct {
	PushType int              `json:"PushType"`
	Deleted  *pushedContacts  `json:"RecentContactDeleteItem,omitzero"`
	Pinned   *pushedContacts  `json:"RecentContactTopItem,omitzero"`
	Marked   *pushedMarks     `json:"RecentContactMarkContact,omitzero"`
	Made     *pushedFolders   `json:"RecentContactCreateContactGroup,omitzero"`
	Removed  *removedFolders  `json:"RecentContactDelContactGroup,omitzero"`
	Changed  *changedByFolder `json:"RecentContactUpdateContactGroup,omitzero"`
}

// pushedContact names a conversation.
type pushedContact struct {
	Type  int    `json:"Type"`
	User  string `json:"User_Account,omitempty"`
	Group string `json:"GroupId,omitempty"`
}

type pushedContacts struct {
	List []pushedContact `json:"RecentContactList"`
}

func contactsOf(all []target) *pushedContacts {
	named := &pushedContacts{}
	for i := range all {
		named.List = append(named.List, all[i].pushed())
	}
	return named
}

type pushedMarks struct {
	List []pushedMark `json:"RecentContactMarkContactItem"`
}

// pushedMark says what a conversation carries now: marks, data of its own, or both, as Kind says.
type pushedMark struct {
	Kind    int           `json:"OptType"`
	Contact pushedContact `json:"RecentContactItem"`
	Marks   string        `json:"StandardMark"`
	Custom  string        `json:"CustomMark"`
}

type pushedFolders struct {
	List []pushedFolder `json:"MsgContactGroupContactItem"`
}

type pushedFolder struct {
	Folder   folder          `json:"MsgGroupItem"`
	Contacts []pushedContact `json:"MsgRecentContactItem"`
}

type removedFolders struct {
	List []folder `json:"MsgGroupItem"`
}

// changedByFolder is a change of one folder; the interface has another UpdateType for changes of one conversation's folders.
type changedByFolder struct {
	UpdateType int           `json:"UpdateType"` // byFolder
	Folder     changedFolder `json:"MsgUpdateGroup"`
}

type changedFolder struct {
	Kind     int            `json:"UpdateGroupType"` // folderRenamed, folderFilled
	Number   int            `json:"GroupId"`
	Name     string         `json:"GroupName"`
	OldName  string         `json:"OldGroupName"`
	Contacts []movedContact `json:"RecentContactUpdateGroupItem,omitzero"`
}

// movedContact is a conversation that was put into a folder or taken out.
type movedContact struct {
	Kind    int           `json:"ContactOptType"` // putInto, takenOut
	Contact pushedContact `json:"RecentContactItem"`
}
