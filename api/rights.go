package api

import "github.com/dragoman-hub/dragoman/access"

// need is the right that an operation wants, and the kind of thing whose change the audit log tells of; "" where it is no
// administrative act.
type need struct {
	right  access.Right
	audits string
}

// needs is the table from operations to rights. An operation that is not here wants, of users, all rights of its scope, and is
// audited when it writes and its scope is neither read nor write.
var needs = map[string]need{
	"listConversations":      {access.ConversationsRead, ""},
	"listDeskChannels":       {access.ConversationsRead, ""},
	"listMyOffers":           {access.ConversationsRead, ""},
	"listOverseers":          {access.ConversationsRead, ""},
	"getConversation":        {access.ConversationsRead, ""},
	"listConversationEvents": {access.ConversationsRead, ""},
	"streamEvents":           {access.ConversationsRead, ""},
	"postMessage":            {access.ConversationsWrite, ""},
	"postNote":               {access.ConversationsWrite, ""},
	"editMessage":            {access.ConversationsWrite, ""},
	"deleteMessage":          {access.ConversationsWrite, ""},
	"react":                  {access.ConversationsWrite, ""},
	"markRead":               {access.ConversationsWrite, ""},
	"showTyping":             {access.ConversationsWrite, ""},
	"uploadFile":             {access.ConversationsWrite, ""},
	"closeConversation":      {access.ConversationsWrite, ""},
	"queueConversation":      {access.ConversationsAssign, ""},
	"assignConversation":     {access.ConversationsAssign, ""},
	"botConversation":        {access.ConversationsAssign, ""},

	"transferConversation": {access.ConversationsWrite, ""},
	"snoozeConversation":   {access.ConversationsWrite, ""},
	"awakenConversation":   {access.ConversationsWrite, ""},
	"reopenConversation":   {access.ConversationsWrite, ""},
	"undoAct":              {access.ConversationsWrite, ""},
	"changeConversations":  {access.ConversationsWrite, ""},
	"listHistory":          {access.ConversationsRead, ""},
	"listMyConversations":  {access.ConversationsRead, ""},
	"countMyUnread":        {access.ConversationsRead, ""},
	"getMyState":           {access.ConversationsRead, ""},
	"setMyState":           {access.ConversationsWrite, ""},

	"watchConversation": {access.ReportsRead, "conversation"},
	"reportLive":        {access.ReportsRead, ""},
	"reportHistory":     {access.ReportsRead, ""},
	"reportAgents":      {access.ReportsRead, ""},

	"getConversationWaiting": {access.ConversationsRead, ""},
	"getRouting":             {access.ConversationsRead, ""},

	"acceptConversation":  {access.ConversationsWrite, ""},
	"declineConversation": {access.ConversationsWrite, ""},
	"extendOffer":         {access.ConversationsWrite, ""},

	"listQueues":        {access.ConversationsRead, ""},
	"getQueue":          {access.ConversationsRead, ""},
	"putQueue":          {access.QueuesWrite, "queue"},
	"deleteQueue":       {access.QueuesWrite, "queue"},
	"getQueueWaiting":   {access.ConversationsRead, ""},
	"listTeams":         {access.ConversationsRead, ""},
	"getTeam":           {access.ConversationsRead, ""},
	"putTeam":           {access.QueuesWrite, "team"},
	"deleteTeam":        {access.QueuesWrite, "team"},
	"listHours":         {access.ConversationsRead, ""},
	"getHours":          {access.ConversationsRead, ""},
	"putHours":          {access.QueuesWrite, "business hours"},
	"deleteHours":       {access.QueuesWrite, "business hours"},
	"askWhatIf":         {access.ReportsRead, ""},
	"listAgents":        {access.ConversationsRead, ""},
	"getAgent":          {access.ConversationsRead, ""},
	"putAgent":          {access.QueuesWrite, "agent"},
	"setAgentState":     {access.ConversationsWrite, ""},
	"listAgentSessions": {access.ReportsRead, ""},
	"countUnread":       {access.ConversationsRead, ""},
	"listAgentStates":   {access.ConversationsRead, ""},
	"putAgentState":     {access.QueuesWrite, "agent state"},
	"deleteAgentState":  {access.QueuesWrite, "agent state"},

	"putReply":    {access.DeskWrite, "reply"},
	"deleteReply": {access.DeskWrite, "reply"},
	"listReplies": {access.ConversationsRead, ""},
	"getReply":    {access.ConversationsRead, ""},
	"findReplies": {access.ConversationsWrite, ""},

	"postPresence": {access.ConversationsWrite, ""},

	"changeConversation": {access.ConversationsWrite, ""},
	"startConversation":  {access.ConversationsWrite, ""},
	"search":             {access.ConversationsRead, ""},
	"listTags":           {access.ConversationsRead, ""},

	"putAction":               {access.DeskWrite, "action"},
	"deleteAction":            {access.DeskWrite, "action"},
	"listActions":             {access.DeskWrite, ""},
	"getAction":               {access.DeskWrite, ""},
	"listConversationActions": {access.ConversationsRead, ""},
	"runAction":               {access.ConversationsWrite, ""},

	"putField":    {access.DeskWrite, "field"},
	"deleteField": {access.DeskWrite, "field"},
	"listFields":  {access.ConversationsRead, ""},
	"getField":    {access.ConversationsRead, ""},

	"listContacts":  {access.ContactsRead, ""},
	"getContact":    {access.ContactsRead, ""},
	"changeContact": {access.ContactsWrite, ""},
	"eraseContact":  {access.ContactsErase, "contact"},

	"listConnectors":  {access.ChannelsRead, ""},
	"listChannels":    {access.ChannelsRead, ""},
	"getChannel":      {access.ChannelsRead, ""},
	"createChannel":   {access.ChannelsWrite, "channel"},
	"changeChannel":   {access.ChannelsWrite, "channel"},
	"deleteChannel":   {access.ChannelsWrite, "channel"},
	"checkChannel":    {access.ChannelsWrite, ""},
	"registerChannel": {access.ChannelsWrite, "channel"},
	"simulateMessage": {access.ChannelsWrite, ""},

	"listFlows":        {access.FlowsRead, ""},
	"getFlow":          {access.FlowsRead, ""},
	"drawFlow":         {access.FlowsRead, ""},
	"listFlowVersions": {access.FlowsRead, ""},
	"putFlow":          {access.FlowsWrite, "flow"},
	"deleteFlow":       {access.FlowsWrite, "flow"},

	"listKnowledgeBases":      {access.FlowsRead, ""},
	"getKnowledgeBase":        {access.FlowsRead, ""},
	"searchKnowledge":         {access.FlowsRead, ""},
	"listKnowledgeDocuments":  {access.FlowsRead, ""},
	"listKnowledgeItems":      {access.FlowsRead, ""},
	"getKnowledgeItem":        {access.FlowsRead, ""},
	"putKnowledgeBase":        {access.FlowsWrite, "knowledge base"},
	"deleteKnowledgeBase":     {access.FlowsWrite, "knowledge base"},
	"uploadKnowledgeDocument": {access.FlowsWrite, "knowledge document"},
	"deleteKnowledgeDocument": {access.FlowsWrite, "knowledge document"},
	"createKnowledgeItem":     {access.FlowsWrite, "knowledge item"},
	"changeKnowledgeItem":     {access.FlowsWrite, "knowledge item"},
	"deleteKnowledgeItem":     {access.FlowsWrite, "knowledge item"},
	"listPrompts":             {access.FlowsRead, ""},
	"getPrompt":               {access.FlowsRead, ""},
	"putPrompt":               {access.FlowsWrite, "prompt"},
	"deletePrompt":            {access.FlowsWrite, "prompt"},
	"listLLMConfigs":          {access.FlowsRead, ""},
	"getLLMConfig":            {access.FlowsRead, ""},

	"listDeadLetters":  {access.DeadLettersRead, ""},
	"replayDeadLetter": {access.DeadLettersReplay, "dead letter"},

	"createToken":     {access.Tokens, "token"},
	"listTokens":      {access.Tokens, ""},
	"revokeToken":     {access.Tokens, "token"},
	"createWorkspace": {access.Workspaces, "workspace"},
	"listWorkspaces":  {access.Workspaces, ""},

	"createUser":         {access.Users, "user"},
	"listUsers":          {access.Users, ""},
	"getUser":            {access.Users, ""},
	"changeUser":         {access.Users, "user"},
	"createUserLink":     {access.Users, "user"},
	"resetUserTOTP":      {access.Users, "user"},
	"listUserSessions":   {access.Users, ""},
	"revokeUserSession":  {access.Users, "user"},
	"revokeUserSessions": {access.Users, "user"},

	"listRights": {access.Roles, ""},
	"listRoles":  {access.Roles, ""},
	"getRole":    {access.Roles, ""},
	"putRole":    {access.Roles, "role"},
	"deleteRole": {access.Roles, "role"},

	"listAudit": {access.AuditRead, ""},

	// of one's own, for everybody who has signed in
	"changePassword": {"", "user"},
	"confirmTOTP":    {"", "user"},
	"stopTOTP":       {"", "user"},
}

// needOf completes the table for operations that are not in it.
func needOf(t act) need {
	if n, ok := needs[t.id]; ok {
		return n
	}
	administrative := t.scope != "" && t.scope != ScopeRead && t.scope != ScopeWrite
	if administrative && isWrite(t.method) {
		return need{audits: t.tag}
	}
	return need{}
}
