package official

import (
	"context"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
)

// filter names the fields that a reply is to have; one that names none wants all.
type filter struct {
	Info []string `json:"OfficialAccountBaseInfoFilter"`
	Self []string `json:"SelfInfoFilter"`
}

type infoRequest struct {
	List   []officialRequest `json:"OfficialAccountIdList"`
	Filter filter            `json:"ResponseFilter"`
}

type infoReply struct {
	List []info `json:"OfficialAccountInfoList"`
}

// info is an official account as replies have it. What was not wanted is nil.
type info struct {
	Official     string    `json:"Official_Account"`
	Code         im.Code   `json:"ErrorCode"`
	Error        string    `json:"ErrorInfo"`
	Created      *int64    `json:"CreateTime,omitzero"` // a unix second
	Name         *string   `json:"Name,omitzero"`
	Owner        *string   `json:"Owner_Account,omitzero"`
	LastSaid     *int64    `json:"LastMsgTime,omitzero"` // a unix second; 0 is never
	Most         *int64    `json:"MaxSubscriberNum,omitzero"`
	Subscribers  *int64    `json:"SubscriberNum,omitzero"`
	Introduction *string   `json:"Introduction,omitzero"`
	FaceURL      *string   `json:"FaceUrl,omitzero"`
	Organization *string   `json:"Organization,omitzero"`
	Custom       *string   `json:"CustomString,omitzero"`
	Self         *selfInfo `json:"SelfInfo,omitzero"`
}

func (o *Officials) infoCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "get_official_account_info", By: command.Administrator | command.Account, Family: family(),
		Doc: "read profiles of official accounts", Section: "rest.md#get_official_account_info",
	}, o.info)
}

// officialsInCall bounds the official accounts that one call names.
const officialsInCall = 50

func (o *Officials) info(ctx context.Context, call *command.Call, r *infoRequest) (*infoReply, error) {
	if len(r.List) == 0 || len(r.List) > officialsInCall {
		return nil, im.Errorf(im.CodeGroupParameter, "OfficialAccountIdList: want 1 to %d official accounts", officialsInCall)
	}
	names := make([]string, len(r.List))
	for i, one := range r.List {
		names[i] = one.Official
	}
	found, err := o.Accounts.Read(ctx, call.App.ID, names)
	if err != nil {
		return nil, err
	}
	described, err := o.describe(ctx, found, r.Filter)
	if err != nil {
		return nil, err
	}
	reply := &infoReply{List: make([]info, 0, len(names))}
	for _, name := range names {
		one, ok := described[found[name].ID]
		if !ok {
			one = info{Official: name, Code: im.CodeOfficialUnknown, Error: "there is no such official account"}
		}
		reply.List = append(reply.List, one)
	}
	return reply, nil
}

// describe reads what is wanted of official accounts, by the numbers of their accounts, in a number of statements that does not
// depend on theirs.
func (o *Officials) describe(ctx context.Context, of map[string]account.Account, wanted filter) (map[im.AccountID]info, error) {
	ids := make([]im.AccountID, 0, len(of))
	for _, one := range of {
		ids = append(ids, one.ID)
	}
	rows, err := records(ctx, o.DB, ids)
	if err != nil {
		return nil, err
	}
	owners := make([]im.AccountID, 0, len(rows))
	for _, row := range rows {
		owners = append(owners, row.owner)
	}
	named, err := o.Accounts.ByID(ctx, o.DB, owners)
	if err != nil {
		return nil, err
	}
	described := make(map[im.AccountID]info, len(rows))
	for _, one := range of {
		if row, ok := rows[one.ID]; ok {
			described[one.ID] = row.info(one, named[row.owner].UserID, wanted.Info)
		}
	}
	return described, nil
}

func (r *record) info(of account.Account, owner string, wanted []string) info {
	const second = 1000
	it := info{Official: of.UserID}
	want := func(name string) bool { return len(wanted) == 0 || slices.Contains(wanted, name) }
	for _, number := range []struct {
		name  string
		into  **int64
		value int64
	}{
		{"CreateTime", &it.Created, r.created / second},
		{"LastMsgTime", &it.LastSaid, r.lastSaid},
		{"MaxSubscriberNum", &it.Most, r.most},
		{"SubscriberNum", &it.Subscribers, r.subscribers},
	} {
		if want(number.name) {
			*number.into = &number.value
		}
	}
	for _, words := range []struct {
		name  string
		into  **string
		value string
	}{
		{"Name", &it.Name, of.Nick},
		{"Owner_Account", &it.Owner, owner},
		{"Introduction", &it.Introduction, r.introduction},
		{"FaceUrl", &it.FaceURL, of.FaceURL},
		{"Organization", &it.Organization, r.organization},
		{"CustomString", &it.Custom, r.custom},
	} {
		if want(words.name) {
			*words.into = &words.value
		}
	}
	return it
}
