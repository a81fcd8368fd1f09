// The few functions of libcrypto and libssl that we call, declared as its manual pages have them.
//
// Its own headers draw in the C library's, and two modules that describe one system structure under different feature
// macros cannot meet in one program; these declarations need none of that. They are stable since OpenSSL 3.0.
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

unsigned long ERR_get_error(void);
void ERR_clear_error(void);
void ERR_error_string_n(unsigned long error, char *text, size_t length);

// ssl(7): the server's side of TLS.
typedef struct ssl_method_st SSL_METHOD;
typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_st SSL;
typedef struct x509_st X509;
typedef struct X509_name_st X509_NAME;

const SSL_METHOD *TLS_server_method(void);
SSL_CTX *SSL_CTX_new(const SSL_METHOD *method);
void SSL_CTX_free(SSL_CTX *context);
long SSL_CTX_ctrl(SSL_CTX *context, int command, long number, void *pointer);
int SSL_CTX_set_num_tickets(SSL_CTX *context, size_t count);
int SSL_CTX_use_certificate_chain_file(SSL_CTX *context, const char *path);
int SSL_CTX_use_PrivateKey_file(SSL_CTX *context, const char *path, int type);
int SSL_CTX_load_verify_locations(SSL_CTX *context, const char *file, const char *directory);
void SSL_CTX_set_verify(SSL_CTX *context, int mode, void *callback);
SSL *SSL_new(SSL_CTX *context);
void SSL_free(SSL *connection);
int SSL_set_fd(SSL *connection, int descriptor);
int SSL_accept(SSL *connection);
int SSL_read(SSL *connection, void *data, int count);
int SSL_write(SSL *connection, const void *data, int count);
int SSL_shutdown(SSL *connection);
int SSL_get_error(const SSL *connection, int result);
X509 *SSL_get1_peer_certificate(const SSL *connection);
void X509_free(X509 *certificate);
X509_NAME *X509_get_subject_name(const X509 *certificate);
int X509_NAME_get_text_by_NID(X509_NAME *name, int kind, char *text, int length);

// Their values in ssl.h, tls1.h and obj_mac.h; they are part of the library's binary interface.
enum {
    COPENSSL_CTRL_MODE = 33,
    COPENSSL_CTRL_SESSION_CACHE_MODE = 44,
    COPENSSL_CTRL_MIN_PROTO_VERSION = 123,
    COPENSSL_MODE_PARTIAL_WRITE_MOVING_BUFFER = 0x3,
    COPENSSL_TLS1_2 = 0x0303,
    COPENSSL_VERIFY_PEER_OR_FAIL = 0x3,
    COPENSSL_PEM = 1,
    COPENSSL_ERROR_WANT_READ = 2,
    COPENSSL_ERROR_WANT_WRITE = 3,
    COPENSSL_ERROR_ZERO_RETURN = 6,
    COPENSSL_COMMON_NAME = 13,
};

// Making key pairs and reading their numbers (OpenSSL 3.0).
typedef struct evp_pkey_st EVP_PKEY;
typedef struct evp_pkey_ctx_st EVP_PKEY_CTX;
typedef struct bignum_st BIGNUM;

EVP_PKEY_CTX *EVP_PKEY_CTX_new_id(int id, ENGINE *engine);
void EVP_PKEY_CTX_free(EVP_PKEY_CTX *context);
int EVP_PKEY_keygen_init(EVP_PKEY_CTX *context);
int EVP_PKEY_CTX_set_ec_paramgen_curve_nid(EVP_PKEY_CTX *context, int nid);
int EVP_PKEY_keygen(EVP_PKEY_CTX *context, EVP_PKEY **key);
void EVP_PKEY_free(EVP_PKEY *key);
int EVP_PKEY_get_raw_private_key(const EVP_PKEY *key, unsigned char *bytes, size_t *length);
int EVP_PKEY_get_raw_public_key(const EVP_PKEY *key, unsigned char *bytes, size_t *length);
int EVP_PKEY_get_bn_param(const EVP_PKEY *key, const char *name, BIGNUM **number);
int EVP_PKEY_get_octet_string_param(const EVP_PKEY *key, const char *name, unsigned char *bytes, size_t room,
                                    size_t *length);
int BN_num_bits(const BIGNUM *number);
int BN_bn2bin(const BIGNUM *number, unsigned char *bytes);
void BN_clear_free(BIGNUM *number);

#endif
