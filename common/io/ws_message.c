#include "common/io/ws_message.h"

int ws_message_add(
	struct ws_message *m, struct lws *wsi, const void *p, size_t n, size_t max, struct str *ret)
{
	bool is_whole = lws_is_final_fragment(wsi);

	*ret = STR_NONE;
	if (lws_frame_is_binary(wsi))
		return WS_MESSAGE_E_BINARY;
	if (m->parts.n + n > max || lws_remaining_packet_payload(wsi) > max - m->parts.n - n)
		return WS_MESSAGE_E_LARGE;
	if (is_whole && m->parts.n == 0) {
		*ret = (struct str){ p ? p : "", n };
		return 0;
	}
	m->parts.max = max;
	buf_put(&m->parts, p, n);
	if (m->parts.failed)
		return WS_MESSAGE_E_MEMORY;
	if (is_whole)
		*ret = buf_str(&m->parts);
	return 0;
}

void ws_message_done(struct ws_message *m)
{
	buf_fini(&m->parts);
}
