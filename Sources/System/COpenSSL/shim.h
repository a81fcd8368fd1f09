// The few functions of libcrypto that we call, declared as its manual pages have them.
//
// Its own headers draw in the C library's, and two modules that describe one system structure under different feature
// macros cannot meet in one program; these declarations need none of that. They are stable since OpenSSL 1.1.
#ifndef COPENSSL_SHIM_H
#define COPENSSL_SHIM_H
#include <stddef.h>

typedef struct evp_md_st EVP_MD;
typedef struct evp_md_ctx_st EVP_MD_CTX;
typedef struct engine_st ENGINE;

EVP_MD_CTX *EVP_MD_CTX_new(void);
void EVP_MD_CTX_free(EVP_MD_CTX *context);
const EVP_MD *EVP_sha256(void);
int EVP_DigestInit_ex(EVP_MD_CTX *context, const EVP_MD *type, ENGINE *engine);
int EVP_DigestUpdate(EVP_MD_CTX *context, const void *data, size_t count);
int EVP_DigestFinal_ex(EVP_MD_CTX *context, unsigned char *digest, unsigned int *length);

#endif
