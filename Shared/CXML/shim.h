#ifndef CXML_SHIM_H
#define CXML_SHIM_H
#include <libxml/xmlversion.h>
/* ICU's headers would define what Foundation's own ICU defines. The structures that differ without
   them are the library's alone. */
#undef LIBXML_ICU_ENABLED
#include <libxml/HTMLparser.h>
#include <libxml/parser.h>
#include <libxml/xmlreader.h>

/* Nothing is ever loaded from outside, whatever a document names. */
static inline xmlParserInputPtr cxml_load_nothing(
    const char *url, const char *id, xmlParserCtxtPtr context) {
    (void)url; (void)id; (void)context;
    return NULL;
}
static inline void cxml_start(void) {
    xmlInitParser();
    xmlSetExternalEntityLoader(cxml_load_nothing);
}
#endif
