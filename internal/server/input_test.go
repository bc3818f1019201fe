package server_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// bodies has a request of each command, with all text and numbers that it may have.
func bodies() map[string]string {
	const (
		message = `"MsgSeq":1,"MsgRandom":2,"MsgTimeStamp":1600000000,"SyncOtherMachine":1,"MsgLifeTime":60,"MsgBody":` +
			`[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}},{"MsgType":"TIMCustomElem","MsgContent":{"Data":"d","Desc":"e","Ext":"x",` +
			`"Sound":"s"}},{"MsgType":"TIMFaceElem","MsgContent":{"Index":1,"Data":"d"}}],"CloudCustomData":"c","SendMsgControl":["NoUnread"],` +
			`"ForbidCallbackControl":["ForbidBeforeSendMsgCallback"],"CustomModerationConfigID":"x","MsgClientTime":1600000000,` +
			`"From_AccountNick":"n","From_AccountHeadurl":"f","OfflinePushInfo":{"PushFlag":0,"Title":"t","Desc":"d","Ext":"e"}`
		parties = `"From_Account":"alice","To_Account":"bob",`
		profile = `"Introduction":"i","Notification":"n","FaceUrl":"f","MaxMemberNum":10,"ApplyJoinOption":"FreeAccess","InviteJoinOption":"FreeAccess"`
		filter  = `"ResponseFilter":{"GroupBaseInfoFilter":["Name"],"MemberInfoFilter":["Role"],"SelfInfoFilter":["Role"]}`
		key     = `"MsgKey":"1_2_1600000000"`
	)
	none := []string{
		"group_open_http_svc/batch_get_group_notify", "im_sdk_config_mgr/fetch_config",
		"im_sdk_config_mgr/fetch_imsdk_purchase_bitsv2", "imopenstat/tim_web_report_v2", "magpie_app/get_settings",
		"openim_robot_http_svc/get_all_robots", "recentcontact/get_contact_group",
	}
	all := map[string]string{
		"official_account_open_http_svc/create_official_account":              `{"Owner_Account":"alice","Name":"n","OfficialAccountUserID":"@TOA#_h","Introduction":"i","FaceUrl":"f","Organization":"o","CustomString":"c","MaxSubscriberNum":10}`,
		"official_account_open_http_svc/destroy_official_account":             `{"Official_Account":"@TOA#_h"}`,
		"official_account_open_http_svc/modify_official_account_base_info":    `{"Official_Account":"@TOA#_g","OfficialAccount":"x","Name":"n","Introduction":"i","FaceUrl":"f","Organization":"o","CustomString":"c","MaxSubscriberNum":10}`,
		"official_account_open_http_svc/get_official_account_info":            `{"OfficialAccountIdList":[{"Official_Account":"@TOA#_g"}],"ResponseFilter":{"OfficialAccountBaseInfoFilter":["Name"],"SelfInfoFilter":["CustomString"]}}`,
		"official_account_open_http_svc/add_subscriber":                       `{"Official_Account":"@TOA#_g","SubscriberList":[{"Subscriber_Account":"bob"}]}`,
		"official_account_open_http_svc/delete_subscriber":                    `{"Official_Account":"@TOA#_g","SubscriberToDel_Account":["zoe"],"SubscriberList":[{"Subscriber_Account":"carol"}]}`,
		"official_account_open_http_svc/get_subscriber_info":                  `{"Official_Account":"@TOA#_g","Limit":1,"Next":"5"}`,
		"official_account_open_http_svc/modify_subscriber_info":               `{"Official_Account":"@TOA#_g","Subscriber_Account":"bob","CustomString":"c"}`,
		"official_account_open_http_svc/get_subscribed_official_account_list": `{"Subscriber_Account":"bob","Limit":1,"Offset":0,"ResponseFilter":{"OfficialAccountBaseInfoFilter":["Name"],"SelfInfoFilter":["CustomString"]}}`,
		"official_account_open_http_svc/send_official_account_msg":            `{"Official_Account":"@TOA#_g","Random":1,"OnlineOnlyFlag":0,` + message + `}`,
		"official_account_open_http_svc/official_account_msg_recall":          `{"Official_Account":"@TOA#_g","MsgKeyList":["1_1_1600000000"],"Reason":"r"}`,
		"official_account_open_http_svc/official_account_msg_get_simple":      `{"Official_Account":"@TOA#_g","ReqMsgNumber":1,"LastMsgKey":"1_1_1600000000","WithRecalledMsg":1}`,

		"im_cos_msg/forbid_illegal_object":                        `{"RawURL":"http://im.example/file/1400000001/x/a.png"}`,
		"im_cos_msg/allow_banned_object":                          `{"RawURL":"http://im.example/file/1400000001/x/a.png"}`,
		"im_cos_msg/get_cos_sig":                                  `{"RawURLs":[{"ResourceID":1,"RawURL":"http://im.example/file/1400000001/x/a.png"}]}`,
		"im_cos_msg/pre_sig":                                      `{"file_type":1,"file_name":"a.png","upload_method":0,"Duration":900}`,
		"im_cos_msg/simple_sig":                                   `{"uint32_upload_method":0,"str_user_id":"alice","rpt_upload_object":[{"uint32_file_id":1,"uint32_file_type":1,"str_file_name":"a"}]}`,
		"im_cos_msg/get_imageinfo":                                `{"str_image_url":"http://im.example/file/1400000001/x/a.png"}`,
		"im_cos_msg/video_cover":                                  `{"version":1,"platform":"7","cover_name":"a","snapshot_url":"http://im.example/file/1400000001/x/a.png"}`,
		"group_open_attr_http_svc/get_group_attr":                 `{"GroupId":"g","Key":"k","GroupType":0}`,
		"group_open_http_svc/ban_group_member":                    `{"GroupId":"g","Members_Account":["zoe"],"Duration":60,"Description":"d"}`,
		"group_open_http_svc/clear_group_attr":                    `{"GroupId":"g","AttrMainSeq":1,"AttrControl":["RaceConflict"]}`,
		"group_open_http_svc/clear_group_msg":                     `{"GroupId":"g","TopicId":"","MsgSeq":1}`,
		"group_open_http_svc/delete_group_attr":                   `{"GroupId":"g","GroupAttr":[{"key":"k","seq":1}],"AttrKeys":["k"],"AttrMainSeq":1}`,
		"group_open_http_svc/delete_group_counter":                `{"GroupId":"g","GroupCounterKeys":["k"]}`,
		"group_open_http_svc/delete_group_msg_by_sender":          `{"GroupId":"g","TopicId":"","Sender_Account":"alice"}`,
		"group_open_http_svc/get_group_ban_member":                `{"GroupId":"g","Limit":1,"Offset":0}`,
		"group_open_http_svc/get_group_counter":                   `{"GroupId":"g","GroupCounterKeys":["k"]}`,
		"group_open_http_svc/get_online_member_num":               `{"GroupId":"g"}`,
		"group_open_http_svc/import_group_msg":                    `{"GroupId":"g","TopicId":"","RecentContactFlag":1,"MsgList":[{"From_Account":"alice","SendTime":1600000000,"Random":1,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}],"CloudCustomData":"c"}]}`,
		"group_open_http_svc/modify_group_attr":                   `{"GroupId":"g","GroupAttr":[{"key":"k","value":"v","seq":1}],"AttrMainSeq":1,"AttrControl":["RaceConflict"]}`,
		"group_open_http_svc/set_group_attr":                      `{"GroupId":"g","GroupAttr":[{"key":"k","value":"v","seq":1}],"AttrMainSeq":1,"BytesKey":"b","AttrControl":["RaceConflict"]}`,
		"group_open_http_svc/unban_group_member":                  `{"GroupId":"g","Members_Account":["zoe"]}`,
		"group_open_http_svc/update_group_counter":                `{"GroupId":"g","GroupCounter":[{"Key":"k","Value":1}],"Mode":"Increase","BytesKey":"b"}`,
		"group_open_http_svc/add_group_member":                    `{"GroupId":"g","MemberList":[{"Member_Account":"carol"}],"Silence":1}`,
		"group_open_http_svc/apply_join_group":                    `{"GroupId":"g","ApplyMsg":"a"}`,
		"group_open_http_svc/change_group_owner":                  `{"GroupId":"g","NewOwner_Account":"bob","From_Account":"alice"}`,
		"group_open_http_svc/create_group":                        `{"Type":"Public","Name":"n","GroupId":"h","Owner_Account":"alice",` + profile + `,"MemberList":[{"Member_Account":"bob","Role":"Admin"}]}`,
		"group_open_http_svc/delete_group_member":                 `{"GroupId":"g","MemberToDel_Account":["zoe"],"Silence":0,"Reason":"r"}`,
		"group_open_http_svc/destroy_group":                       `{"GroupId":"h"}`,
		"group_open_http_svc/forbid_send_msg":                     `{"GroupId":"g","Members_Account":["bob"],"MuteTime":60,"TopicId":""}`,
		"group_open_http_svc/set_unread_msg_num":                  `{"GroupId":"g","Member_Account":"bob","UnreadMsgNum":1,"TopicId":""}`,
		"group_open_http_svc/get_appid_group_list":                `{"Limit":1,"Next":0,"GroupType":"Public"}`,
		"group_open_http_svc/get_group_info":                      `{"GroupIdList":["g"],` + filter + `}`,
		"group_open_http_svc/get_group_member_info":               `{"GroupId":"g","Limit":1,"Offset":0,"Next":"5","MemberInfoFilter":["Role"],"MemberRoleFilter":["Owner"]}`,
		"group_open_http_svc/get_group_muted_account":             `{"GroupId":"g","Limit":1,"Offset":0}`,
		"group_open_http_svc/get_group_public_info":               `{"GroupIdList":["g"],` + filter + `}`,
		"group_open_http_svc/get_group_self_member_info":          `{"GroupIdList":["g"],` + filter + `}`,
		"group_open_http_svc/get_group_shutted_uin":               `{"GroupId":"g","Limit":1,"Offset":0}`,
		"group_open_http_svc/get_joined_group_list":               `{"Member_Account":"alice","WithNoActiveGroups":1,"Limit":1,"Offset":0,"GroupType":"Public",` + filter + `}`,
		"group_open_http_svc/get_pendency":                        `{"StartTime":0,"Limit":1,"Handle_Account":"alice"}`,
		"group_open_http_svc/handle_apply_join_group":             `{"GroupId":"g","Applicant_Account":"carol","HandleMsg":"Agree","ApprovalMsg":"a","MsgKey":5,"Authentication":"5"}`,
		"group_open_http_svc/handle_invite_join_permission_group": `{"GroupId":"g","Applicant_Account":"bob","Invited_Account":"carol","HandleMsg":"Agree","Authentication":"5"}`,
		"million_group_open_http_svc/get_pendency":                `{"StartTime":0,"Limit":1}`,
		"group_open_avchatroom_http_svc/get_admin_list":           `{"GroupId":"g"}`,
		"group_open_avchatroom_http_svc/get_members":              `{"GroupId":"g","Timestamp":0}`,
		"group_open_avchatroom_http_svc/modify_user_info":         `{"GroupId":"g","CommandType":1,"MemberList":[{"Member_Account":"bob","Marks":[1000]}]}`,
		"group_open_avchatroom_http_svc/check_members":            `{"GroupId":"g","Member_Account":["bob"]}`,
		"group_open_avchatroom_http_svc/add_robots":               `{"GroupId":"g","Member_Account":["bob"]}`,
		"group_open_avchatroom_http_svc/del_robots":               `{"GroupId":"g","Member_Account":["bob"]}`,
		"group_open_avchatroom_http_svc/modify_admin":             `{"GroupId":"g","CommandType":1,"Admin_Account":["bob"]}`,
		"group_open_http_svc/send_broadcast_msg":                  `{"From_Account":"alice","Random":5,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a"}}],"CloudCustomData":"c"}`,
		"group_open_http_noauth_svc/apply_join_group":             `{"GroupId":"g","WebPushFlag":1}`,
		"group_open_long_polling_http_noauth_svc/get_msg":         `{"Key":"g","StartSeq":5,"HoldTime":90}`,
		"magpie_live/set_limits":                                  `{"GroupId":"g","MessageRate":5,"HighRate":1,"Backlog":10}`,
		"magpie_live/get_ledger":                                  `{"GroupId":"g","Seconds":10}`,
		"magpie_live/list_ledgers":                                `{"Seconds":10,"Limit":5}`,
		"group_open_http_svc/get_role_in_group":                   `{"GroupId":"g","User_Account":["bob"]}`,
		"group_open_http_svc/get_specified_group_member_info":     `{"GroupId":"g","Member_List_Account":["bob"],"MemberInfoFilter":["Role"]}`,
		"group_open_http_svc/import_group":                        `{"Type":"Public","Name":"n","GroupId":"i","Owner_Account":"alice","CreateTime":1600000000,` + profile + `}`,
		"group_open_http_svc/import_group_member":                 `{"GroupId":"g","MemberList":[{"Member_Account":"carol","Role":"Admin","JoinTime":1600000000,"UnreadMsgNum":5}]}`,
		"group_open_http_svc/modify_group_base_info":              `{"GroupId":"g","Name":"n","From_Account":"alice",` + profile + `,"MuteAllMember":"On"}`,
		"group_open_http_svc/modify_group_member_info":            `{"GroupId":"g","Member_Account":"bob","Role":"Admin","MsgFlag":"Discard","NameCard":"c","MuteTime":60}`,
		"group_open_http_svc/group_msg_get":                       `{"GroupId":"g","TopicId":"","ReqMsgNumber":20,"ReqMsgSeq":7,"WithRecalledMsg":1,"GetType":3,"ReqMsgSeqList":[1]}`,
		"group_open_http_svc/group_msg_get_simple":                `{"GroupId":"g","TopicId":"","ReqMsgNumber":20,"ReqMsgSeq":7,"WithRecalledMsg":1}`,
		"group_open_http_svc/group_msg_recall":                    `{"GroupId":"g","TopicId":"","MsgSeqList":[{"MsgSeq":1}],"Reason":"r"}`,
		"group_open_http_svc/msg_read_report":                     `{"GroupId":"g","TopicId":"","MsgReadedSeq":1}`,
		"group_open_http_svc/send_group_msg": `{"GroupId":"g","TopicId":"","From_Account":"alice","Random":1,"ClientSeq":2,"MsgPriority":"High",` +
			`"NeedReadReceipt":1,"GroupAtInfo":[{"GroupAtAllFlag":0,"GroupAt_Account":"bob"}],"To_Account":["bob"],` + message + `}`,
		"group_open_http_svc/send_group_system_notification": `{"GroupId":"g","TopicId":"","Content":"c","ToMembers_Account":["bob"]}`,
		"openim/modify_group_msg":                            `{"GroupId":"g","TopicId":"","MsgSeq":1,"MsgVersion":0,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}],"CloudCustomData":"c"}`,
		"group_open_http_svc/quit_group":                     `{"GroupId":"g"}`,
		"million_group_open_http_svc/get_joined_group_list":  `{"Member_Account":"alice","SupportTopic":0,"Limit":1,"Offset":0}`,
		"im_open_login_svc/account_check":                    `{"CheckItem":[{"UserID":"alice"}]}`,
		"im_open_login_svc/account_delete":                   `{"DeleteItem":[{"UserID":"zoe"}]}`,
		"im_open_login_svc/account_import":                   `{"UserID":"carol","Identifier":"carol","Nick":"n","FaceUrl":"f"}`,
		"im_open_login_svc/kick":                             `{"UserID":"zoe"}`,
		"im_open_login_svc/multiaccount_import":              `{"Accounts":["dave"],"AccountList":[{"UserID":"carol","Nick":"n","FaceUrl":"f"}]}`,
		"magpie_app/set_settings":                            `{"Settings":{"message.recall_seconds":"120"}}`,
		"magpie_webhook/attempts":                            `{"EventId":"5"}`,
		"magpie_webhook/list":                                `{"State":"dead","After":"5","Limit":1}`,
		"magpie_webhook/replay":                              `{"EventIds":["5"]}`,
		"openim/admin_getroammsg":                            `{"Operator_Account":"alice","Peer_Account":"bob","MaxCnt":1,"MinTime":0,"MaxTime":1700000000,"LastMsgKey":"1_2_3"}`,
		"openim/admin_msgwithdraw":                           `{` + parties + key + `,"Reason":"r"}`,
		"openim/admin_set_msg_read":                          `{"Report_Account":"alice","Peer_Account":"bob","MsgReadTime":1600000000}`,
		"openim/batchsendmsg":                                `{"From_Account":"alice","To_Account":["bob"],` + message + `}`,
		"openim/get_c2c_peer_mute_notifications":             `{"To_Account":"alice","Peer_Account":["bob"]}`,
		"openim/get_c2c_unread_msg_num":                      `{"To_Account":"alice","Peer_Account":["bob"]}`,
		"openim/read_all_unread_msg":                         `{"C2CReadAllMsg":1,"GroupReadInfo":[{"GroupId":"g","MsgSeq":1}]}`,
		"openim/set_c2c_peer_mute_notifications":             `{"Peer_Account":["bob"],"Mute_Notifications":1}`,
		"im_msg_db_logic/ws_set_do_not_disturb":              `{"StartTime":1600000000,"EndTime":1600000001,"IsRepeated":1,"Level":2}`,
		"im_msg_db_logic/ws_get_do_not_disturb":              `{"To_Account":"alice"}`,
		"im_msg_db_logic/admin_set_do_not_disturb":           `{"To_Account":"alice","StartTime":1600000000,"EndTime":1600000001,"IsRepeated":1,"Level":2}`,
		"openim/delete_c2c_msg_ramble":                       `{"Operator_Account":"alice","Peer_Account":"bob",` + parties + `"MsgKeyList":["1_2_1600000000"]}`,
		"group_open_http_svc/delete_group_ramble_msg_by_seq": `{"GroupId":"g","TopicId":"","Deleter_Account":"alice","Seqs":["1"]}`,
		"openim/get_peer_read_time":                          `{"To_Account":["bob"]}`,
		"openim/getmsg":                                      `{"Cookie":"1.2.3.4.5.6.7","SyncFlag":0}`,
		"openim/getroammsg":                                  `{"Peer_Account":"bob","MaxCnt":1,"LastMsgTime":1600000000,"MsgKey":"1_2_3","GetDirection":1}`,
		"openim/importmsg":                                   `{` + parties + `"SyncFromOldSystem":2,` + message + `}`,
		"openim/modify_c2c_msg":                              `{` + parties + key + `,"MsgSeq":1,"MsgRandom":2,"MsgTime":1600000000,"MsgVersion":0,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}],"CloudCustomData":"c"}`,
		"openim/msgreaded":                                   `{"C2CMsgReaded":{"C2CMsgReadedItem":[{"To_Account":"bob","LastedMsgTime":1600000000}]}}`,
		"openim/msgwithdraw":                                 `{"MsgInfo":{` + parties + `"MsgTimeStamp":1600000000,"MsgSeq":1,"MsgRandom":2,"Reason":"r"}}`,
		"openim/query_online_status":                         `{"To_Account":["bob"],"IsNeedDetail":1}`,
		"openim/sendmsg":                                     `{` + parties + message + `}`,
		"openim_robot_http_svc/create_robot":                 `{"UserID":"@RBT#1","Nick":"n","FaceUrl":"f","SelfSignature":"s"}`,
		"openim_robot_http_svc/delete_robot":                 `{"UserID":"@RBT#2","Robot_Account":"@RBT#2"}`,
		"im_long_msg/save_relay_json_msg":                    `{"MsgList":[{"From_Account":"alice","MsgSeq":5,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"x"}}]}]}`,
		"im_long_msg/get_relay_json_msg":                     `{"JsonMsgKey":"5_00000000000000000000000000000000"}`,
		"stream_msg/send_c2c_stream_msg":                     `{"From_Account":"alice","To_Account":"bob","MsgSeq":5,"SyncOtherMachine":1,"MsgRandom":5,"CloudCustomData":"c","MsgBody":[{"MsgType":"TIMStreamElem","MsgContent":{"Chunks":[{"EventType":"data","Index":1,"Markdown":"m","IsLast":true}],"CompatibleText":"t","StreamMsgID":"1_2_3"}}]}`,
		"stream_msg/send_group_stream_msg":                   `{"From_Account":"alice","GroupId":"g","MsgRandom":5,"CloudCustomData":"c","MsgBody":[{"MsgType":"TIMStreamElem","MsgContent":{"Chunks":[{"EventType":"data","Index":1,"Markdown":"m","IsLast":true}],"CompatibleText":"t","StreamMsgID":"1_2_3"}}]}`,
		"openim_robot_http_svc/send_stream_msg":              `{"From_Account":"@RBT#1","To_Account":"bob","Chunk":"c","MsgKey":"","Finish":1}`,
		"profile/portrait_get":                               `{"To_Account":["bob"],"TagList":["Tag_Profile_IM_Nick"]}`,
		"profile/portrait_get_all":                           `{"UserItem":[{"To_Account":"bob"}]}`,
		"profile/portrait_set":                               `{"From_Account":"carol","ProfileItem":[{"Tag":"Tag_Profile_IM_Nick","Value":"n"},{"Tag":"Tag_Profile_Custom_A","Value":"v"},{"Tag":"Tag_Profile_IM_Level","Value":7}]}`,
		"recentcontact/batch_delete":                         `{"ContactItem":[{"Type":1,"type":1,"To_Account":"bob","ToGroupid":"g"}],"ClearRamble":0}`,
		"recentcontact/delete":                               `{"From_Account":"alice","Type":1,"To_Account":"bob","ToGroupid":"g","ClearRamble":0}`,
		"recentcontact/get_list":                             `{"From_Account":"alice","TimeStamp":0,"StartIndex":0,"TopTimeStamp":0,"TopStartIndex":0}`,
		"recentcontact/clear_msg":                            `{"Type":1,"type":1,"To_Account":"bob","ToGroupid":"g"}`,
		"recentcontact/top":                                  `{"From_Account":"alice","OperationType":1,"RecentContactItem":[{"Type":1,"To_Account":"bob"},{"Type":2,"GroupId":"g"}]}`,
		"recentcontact/mark_contact":                         `{"From_Account":"alice","MarkItem":[{"OptType":3,"ContactItem":{"Type":1,"To_Account":"bob"},"SetMark":[1],"ClearMark":[2],"CustomMark":"c"}]}`,
		"recentcontact/create_contact_group":                 `{"From_Account":"alice","GroupContactItem":[{"GroupName":"n","ContactItem":[{"Type":2,"ToGroupId":"g"}]}]}`,
		"recentcontact/update_contact_group":                 `{"From_Account":"alice","UpdateType":1,"UpdateGroup":{"UpdateGroupType":2,"OldGroupName":"n","NewGroupName":"m","ContactUpdateItem":[{"ContactOptType":1,"ContactItem":{"Type":1,"To_Account":"bob"}}]}}`,
		"recentcontact/del_contact_group":                    `{"From_Account":"alice","GroupName":["n"]}`,
		"recentcontact/search_contact_group":                 `{"From_Account":"alice","ContactItem":[{"Type":1,"To_Account":"bob"}]}`,
		"recentcontact/page_get":                             `{"From_Account":"alice","TimeStamp":0,"StartIndex":0,"TopTimeStamp":0,"TopStartIndex":0}`,
	}
	maps.Copy(all, map[string]string{
		"group_open_http_svc/pin_message":                  `{"GroupId":"g","TopicId":"","MsgSeq":1,"Pinner_Account":"alice"}`,
		"group_open_http_svc/unpin_message":                `{"GroupId":"g","TopicId":"","MsgSeq":1,"UnPinner_Account":"alice"}`,
		"group_open_http_svc/get_pinned_messages":          `{"GroupId":"g","TopicId":""}`,
		"group_open_http_svc/group_msg_receipt":            `{"GroupId":"g","TopicId":"","From_Account":"alice","MsgSeqList":[{"MsgSeq":1}]}`,
		"group_open_http_svc/get_group_msg_receipt":        `{"GroupId":"g","TopicId":"","MsgSeqList":[{"MsgSeq":1}]}`,
		"group_open_http_svc/get_group_msg_receipt_detail": `{"GroupId":"g","MsgSeq":1,"Flag":0,"Filter":0,"Cursor":"5","Num":10,"Count":10}`,
		"im_open_status/ws_get_user_status":                `{"To_Account":["bob"]}`,
		"im_open_status/ws_set_custom_status":              `{"CustomStatus":"c"}`,
		"im_open_status/ws_status_subscribe":               `{"To_Account":["bob"]}`,
		"im_open_status/ws_status_unsubscribe":             `{"To_Account":["bob"],"UnsubscribeAll":0}`,
		"openconfigsvr/getnospeaking":                      `{"Get_Account":"carol"}`,
		"openconfigsvr/setnospeaking":                      `{"Set_Account":"carol","C2CmsgNospeakingTime":0,"GroupmsgNospeakingTime":0}`,
		"openim/deletemsg":                                 `{"DelMsgList":[{"From_Account":"bob","To_Account":"alice","MsgSeq":1,"MsgRandom":2,"GroupId":"g"}]}`,
		"openim/c2c_msg_read_receipt":                      `{"Operator_Account":"alice","Peer_Account":"bob","C2CMsgInfo":[{` + parties + key + `,"MsgSeq":1,"MsgRandom":2,"MsgTime":1600000000}]}`,
	})
	for prefix, named := range map[string]string{"": parties + key + `,"MsgKeyList":["1_2_1600000000"]`, "group_": `"GroupId":"g","TopicId":"","MsgSeq":1,"MsgSeqList":[1]`} {
		at := "openim_msg_ext_http_svc/" + prefix
		all[at+"set_key_values"] = `{` + named + `,"OperateType":1,"ExtensionList":[{"Key":"k","Value":"v","Seq":0}]}`
		all[at+"get_key_values"] = `{` + named + `,"StartSeq":1,"startSeq":1}`
		all[at+"reaction_add"] = `{` + named + `,"Reaction":"r","Add_Account":["alice"]}`
		all[at+"reaction_del"] = `{` + named + `,"Reaction":"r","Del_Account":["alice"]}`
		all[at+"reaction_multi_stat"] = `{` + named + `,"Count":10}`
		all[at+"reaction_iterate"] = `{` + named + `,"Reaction":"r","NextSeq":1,"Count":10}`
	}
	maps.Copy(all, relationBodies())
	for _, name := range none {
		all[name] = `{"From_Account":"alice","Member_Account":"alice","StartIndex":0,"Limit":1}`
	}
	return all
}

// documented reads the table of commands: each with its doors.
func documented(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile("../../api/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| \\[`([^`]+)`\\][^|]*\\| ([^|]+) \\|").FindAllStringSubmatch(string(page), -1) {
		all[row[1]] = row[2]
	}
	return all
}

// leaves matches what may stand in a request in the place of a text or of a number.
var leaves = regexp.MustCompile(`:("[^"]*"|-?[0-9]+)|[[,]("[^":]*")[],]`)

// hostile gives a request once for each of its values and each unlikely value that may stand there instead.
func hostile(body string) (all []string) {
	for _, at := range leaves.FindAllStringSubmatchIndex(body, -1) {
		from, to := at[2], at[3]
		if from < 0 {
			from, to = at[4], at[5]
		}
		old := body[from:to]
		others := []string{"9007199254740993", "18446744073709551616", "1e400", "1.5", "-1", "null"}
		if old[0] == '"' {
			text := strings.Trim(old, `"`)
			others = []string{`"\u0000"`, `"` + text + `\u0000"`, `"\ud83d` + text + `"`, "null", "9007199254740993",
				`"` + strings.Repeat("x", 1000) + `"`, "\"" + text + "\xff\""}
		}
		for _, other := range others {
			all = append(all, body[:from]+other+body[to:])
		}
	}
	return all
}

// Whatever stands in a text or a number of any command, on either database, is served or refused by the rules: it is never
// the server's own fault, which the log of the test's server would not let pass.
func TestUnlikelyInput(t *testing.T) {
	doors, requests := documented(t), bodies()
	if missing := slices.DeleteFunc(slices.Sorted(maps.Keys(doors)), func(name string) bool { return requests[name] != "" }); len(missing) > 0 {
		t.Fatalf("no request for %q", missing)
	}
	faults := []int{91000, 90992, 10002, 30006, 40006, 50004, 70500}
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob", "carol", "zoe")
		s.MustREST(t, "openim_robot_http_svc/create_robot", bodies()["openim_robot_http_svc/create_robot"], nil)
		const official = "official_account_open_http_svc/create_official_account"
		s.MustREST(t, official, strings.Replace(bodies()[official], "#_h", "#_g", 1), nil)
		s.MustREST(t, "group_open_http_svc/create_group", bodies()["group_open_http_svc/create_group"], nil)
		s.MustREST(t, "group_open_http_svc/create_group", strings.Replace(bodies()["group_open_http_svc/create_group"], `"h"`, `"g"`, 1), nil)
		alice := s.Login(t, "alice")
		for name, body := range requests {
			for _, one := range hostile(body) {
				if strings.Contains(doors[name], "REST") {
					if e := s.REST(t, name, one, nil); slices.Contains(faults, e.ErrorCode) || e.ErrorCode != 0 && e.ErrorInfo == "" {
						t.Errorf("%s %.300s: answered %+v", name, one, e)
					}
				}
				if strings.Contains(doors[name], "client") && json.Valid([]byte(one)) {
					e := alice.Call(t, strings.Replace(name, "/", ".", 1), json.RawMessage(one), nil)
					if slices.Contains(faults, e.ErrorCode) || e.ErrorCode != 0 && e.ErrorInfo == "" {
						t.Errorf("%s %.300s: answered %+v", name, one, e)
					}
				}
			}
		}
	}, magpietest.Set(t, "rest-per-second", "1000000"))
}

// Text that is kept has one rule everywhere: a NUL is left out, half of a surrogate pair becomes U+FFFD. In a message's
// elements a NUL stays, as applications put bytes of their own there.
func TestKeptText(t *testing.T) {
	const written, want, inBody = `a\u0000b\ud83dc`, "ab\uFFFDc", `"a\u0000b` + "\uFFFD" + `c"`
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob")
		rest := func(command, body string) string {
			var reply json.RawMessage
			s.MustREST(t, command, strings.ReplaceAll(body, "TEXT", written), &reply)
			return string(reply)
		}
		profile := func(user string) string {
			return rest("profile/portrait_get", fmt.Sprintf(`{"To_Account":[%q],"TagList":["Tag_Profile_IM_Nick","Tag_Profile_IM_Image",`+
				`"Tag_Profile_IM_SelfSignature","Tag_Profile_Custom_A"]}`, user))
		}
		history := func(string) string {
			return rest("openim/admin_getroammsg", `{"Operator_Account":"alice","Peer_Account":"bob","MaxCnt":1,"MinTime":0,"MaxTime":4000000000}`)
		}
		message := `{"From_Account":"alice","To_Account":"bob","MsgRandom":%d,"SyncFromOldSystem":2,"MsgTimeStamp":%d,"CloudCustomData":"TEXT",` +
			`"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"TEXT"}}]}`
		at := s.Now().Unix()
		for i, row := range []struct {
			command, body string
			times         int
			read          func(string) string
			of            string
		}{
			{"im_open_login_svc/account_import", `{"UserID":"u","Nick":"TEXT","FaceUrl":"TEXT"}`, 2, profile, "u"},
			{"im_open_login_svc/multiaccount_import", `{"AccountList":[{"UserID":"v","Nick":"TEXT","FaceUrl":"TEXT"}]}`, 2, profile, "v"},
			{"profile/portrait_set", `{"From_Account":"bob","ProfileItem":[{"Tag":"Tag_Profile_IM_Nick","Value":"TEXT"},` +
				`{"Tag":"Tag_Profile_IM_SelfSignature","Value":"TEXT"},{"Tag":"Tag_Profile_Custom_A","Value":"TEXT"}]}`, 3, profile, "bob"},
			{"openim_robot_http_svc/create_robot", `{"UserID":"@RBT#1","Nick":"TEXT","FaceUrl":"TEXT","SelfSignature":"TEXT"}`, 3, profile, "@RBT#1"},
			{"openim/sendmsg", fmt.Sprintf(message, 1, at), 2, history, ""},
			{"openim/batchsendmsg", strings.Replace(fmt.Sprintf(message, 2, at), `"bob"`, `["bob"]`, 1), 2, history, ""},
			{"openim/importmsg", fmt.Sprintf(message, 3, at), 2, history, ""},
		} {
			rest(row.command, row.body)
			if got := row.read(row.of); strings.Count(got, `"`+want+`"`)+strings.Count(got, inBody) != row.times {
				t.Errorf("%d %s: read %s, want %q %d times", i, row.command, got, want, row.times)
			}
		}
		sent := s.Send(t, "alice", "bob", "plain")
		named := fmt.Sprintf(`{"From_Account":"alice","To_Account":"bob","MsgKey":%q,`, sent.MsgKey)
		rest("openim/modify_c2c_msg", named+`"CloudCustomData":"TEXT","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"TEXT"}}]}`)
		rest("openim/admin_msgwithdraw", named+`"Reason":"TEXT"}`)
		if got := history(""); strings.Count(got, `"`+want+`"`) != 2 || strings.Count(got, inBody) != 1 {
			t.Errorf("after an edit and a recall: read %s", got)
		}
	})
}
