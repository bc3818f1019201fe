package server_test

// relationBodies has a request of each command about friends, blocklists and followers.
func relationBodies() map[string]string {
	return map[string]string{
		"sns/friend_add": `{"From_Account":"alice","AddFriendItem":[{"To_Account":"carol","AddSource":"AddSource_Type_Web","Remark":"r",` +
			`"GroupName":"g","AddWording":"w"}],"AddType":"Add_Type_Both","ForceAddFlags":1}`,
		"sns/friend_import": `{"From_Account":"alice","AddFriendItem":[{"To_Account":"bob","AddSource":"AddSource_Type_Web","Remark":"r",` +
			`"RemarkTime":1600000000,"GroupName":["g"],"AddWording":"w","AddTime":1600000000,"CustomItem":[{"Tag":"Tag_SNS_Custom_A","Value":"x"}]}]}`,
		"sns/friend_update": `{"From_Account":"alice","UpdateItem":[{"To_Account":"bob","SnsItem":[{"Tag":"Tag_SNS_IM_Remark","Value":"r"},` +
			`{"Tag":"Tag_SNS_IM_Group","Value":["g"]}]}]}`,
		"sns/friend_delete":        `{"From_Account":"alice","To_Account":["zoe"],"DeleteType":"Delete_Type_Both"}`,
		"sns/friend_delete_all":    `{"From_Account":"zoe","DeleteType":"Delete_Type_Both"}`,
		"sns/friend_check":         `{"From_Account":"alice","To_Account":["bob"],"CheckType":"CheckResult_Type_Both"}`,
		"sns/friend_get":           `{"From_Account":"alice","StartIndex":0,"StandardSequence":1,"CustomSequence":1}`,
		"sns/friend_get_list":      `{"From_Account":"alice","To_Account":["bob"],"TagList":["Tag_SNS_IM_Remark"]}`,
		"sns/friend_get_specified": `{"From_Account":"alice","To_Account":["bob"]}`,
		"sns/friend_response":      `{"ResponseFriendItem":[{"To_Account":"bob","Remark":"r","TagName":"g","ResponseAction":"Response_Action_Agree"}]}`,
		"sns/pendency_get":         `{"PendencyType":"Pendency_Type_Both","StartTime":0,"MaxLimited":100,"LastSequence":0}`,
		"sns/pendency_delete":      `{"PendencyType":"Pendency_Type_ComeIn","To_Account":["bob"]}`,
		"sns/pendency_report":      `{"LatestPendencyTimeStamp":1600000000}`,
		"sns/black_list_add":       `{"From_Account":"alice","To_Account":["zoe"]}`,
		"sns/black_list_delete":    `{"From_Account":"alice","To_Account":["zoe"]}`,
		"sns/black_list_check":     `{"From_Account":"alice","To_Account":["bob"],"CheckType":"BlackCheckResult_Type_Both"}`,
		"sns/black_list_get":       `{"From_Account":"alice","StartIndex":0,"MaxLimited":100,"LastSequence":0}`,
		"sns/group_add":            `{"From_Account":"alice","GroupName":["g"],"To_Account":["bob"]}`,
		"sns/group_delete":         `{"From_Account":"alice","GroupName":["h"]}`,
		"sns/group_get":            `{"From_Account":"alice","NeedFriend":"Need_Friend_Type_Yes","GroupName":["g"],"LastSequence":0}`,
		"sns/group_update":         `{"GroupOldName":"g","GroupNewName":"h","UpdateGroupItem":[{"To_Account":"bob","UpdateType":"Update_Type_Add"}]}`,
		"follow/follow_add":        `{"From_Account":"alice","FollowItem":[{"To_Account":"bob"}]}`,
		"follow/follow_delete":     `{"From_Account":"alice","To_Account":["zoe"]}`,
		"follow/follow_get":        `{"From_Account":"alice","FollowType":1,"StartCursor":"5","WantNum":100}`,
		"follow/follow_check":      `{"From_Account":"alice","To_Account":["bob"]}`,
		"follow/follow_get_info":   `{"From_Account":"alice","To_Account":["bob"]}`,
	}
}
