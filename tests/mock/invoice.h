/* mock/invoice.h -- what a provider would bill: one JSON line per attempt, to the file of --invoice, and the last ones for
 * GET /__mock/invoices. */
#ifndef MOCK_INVOICE_H
#define MOCK_INVOICE_H

#include "mock/mock.h"

#define INVOICES_MAX 1024

struct invoices *invoices_new(void);
void invoices_free(struct invoices *v);
void invoices_clear(struct invoices *v);

/* `sent_bytes` of the payload were given to the socket; `outcome`: "complete", "cut", "reset", "client left" ... */
void invoice_add(struct mock *m, const struct request *rq, const struct reply *rp,
                 size_t sent_bytes, const char *outcome);
void invoices_write(const struct invoices *v, struct str needle, struct buf *out);

#endif
