#ifndef CLIBGIT2_SHIM_H
#define CLIBGIT2_SHIM_H
#include <git2.h>
#include <git2/sys/transport.h>
/* git_libgit2_opts is variadic: invisible to Swift. */
static inline int clibgit2_set_owner_validation(int enabled) {
    return git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, enabled);
}
static inline int clibgit2_set_search_path(int level, const char *path) {
    return git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, path);
}
/* libgit2 reads the first field, which leads to functions of ours, and these read the second. */
typedef struct {
    git_smart_subtransport parent;
    void *context;
} clibgit2_subtransport;
typedef struct {
    git_smart_subtransport_stream parent;
    void *context;
} clibgit2_stream;
static inline void clibgit2_set_error(const char *message) {
    git_error_set_str(GIT_ERROR_NET, message);
}
static inline int clibgit2_set_mapped_byte_count_max(size_t count) {
    return git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, count);
}
#endif
