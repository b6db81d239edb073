#ifndef CLIBCURL_SHIM_H
#define CLIBCURL_SHIM_H
#define CURL_DISABLE_TYPECHECK 1
#include <curl/curl.h>
#include <sys/eventfd.h>

/* curl_easy_setopt and curl_easy_getinfo are variadic: invisible to Swift. */
static inline CURLcode clibcurl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode clibcurl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode clibcurl_set_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode clibcurl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode clibcurl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}
typedef size_t (*clibcurl_transfer)(char *bytes, size_t size, size_t count, void *context);
static inline CURLcode clibcurl_set_transfer(CURL *handle, CURLoption option, clibcurl_transfer value) {
    return curl_easy_setopt(handle, option, value);
}
typedef curl_socket_t (*clibcurl_open)(void *context, curlsocktype purpose, struct curl_sockaddr *address);
static inline CURLcode clibcurl_set_open(CURL *handle, clibcurl_open value) {
    return curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, value);
}
typedef int (*clibcurl_seek)(void *context, curl_off_t offset, int origin);
static inline CURLcode clibcurl_set_seek(CURL *handle, clibcurl_seek value) {
    return curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, value);
}
static inline CURLcode clibcurl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}
static inline CURLcode clibcurl_get_text(CURL *handle, CURLINFO info, char **value) {
    return curl_easy_getinfo(handle, info, value);
}

/* A descriptor that poll() finds readable once somebody wrote to it. */
static inline int clibcurl_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
#endif
