/* jwt_aid.c - signs whatever a test wants to see read, or refused.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "jwt_aid.h"

#include <string.h>

#include "lib/base64.h"
#include "lib/buf.h"
#include "unit.h"

const char jwt_aid_key[] = "-----BEGIN PRIVATE KEY-----\n"
			   "MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQCillmbTVIHwa+3\n"
			   "pAsJTWdrxdcDh0mHYdws1lZzs5T0aGEj1YPmptdQ0FP+8U+tfra1uDhrXjXD/u9R\n"
			   "6IhRP/gdsJ8iZJwg3sXOJzBclUqM8oaceL2csifYqjmXrApSak5rB/aJ5DMwC877\n"
			   "HbXsB96EIkkLAEE4scHIZBlheZIVS6X88yGL0o0wIvW8Ps6vZEAzKFJp2WWFluGp\n"
			   "EXPqUi/LcstROx/CPVhBWIx/1cpaOf+cxFuaGu5Q/x8G1+ES+UeBg6XnZsdq1Bkx\n"
			   "lGCubOLAc8r/P7VwRoTz4zPKiimQquzpdkpzPchGVJcZ4AApgpRnH/mwh8UrUsO0\n"
			   "WVoD7wJdAgMBAAECggEAJVvs3R2oMrYTvVvJWWraz83W+S2V/LDE2dyqYs2p9Xsi\n"
			   "jwxZ0Z8WrLAiDNvAFjqemyToeetc6Vtj/Gs1H45WYeQavNlncrods6AXob6AMeDs\n"
			   "g3nO//mD5GpA75QNjyB0Qm3C/a5dALZF6jfKfKDWRYBnTkrRschOodA2cMpxgcjR\n"
			   "aF+vv/H7XFqyjywLJKdbIbqmfEPEzmJB46wMipRMu57AUSLfnsEgwmzQ7P7541NV\n"
			   "KFfWswCnwgDHeP0O79K5GmI41SIqsbNss7X8zlH+LyaeQ43OrMbE4G6W5iOYmJtx\n"
			   "X4ZNmTVLH2axX+cVztszgKQ1QwA5XyDPL8+QQABPIQKBgQDOik8upjDSWiG0qD3/\n"
			   "G0ODT0SXrz83833IppPqAkTh6wkDqkDPxCETczKXF+51Y5nhZAYtwheeX2fnMZ+I\n"
			   "NZnmCUteYOThJqAb+0/Bf8zWfEW9nY6KzE/6u4kqq8HXqMMgs1scsD2YuDx1Bd3G\n"
			   "uiZV3pZOZmF+qsihuonmsREEWQKBgQDJhY9CCY6Q25RwoPjmjO2w679HN3p9Oqq/\n"
			   "Ueoc4ETNoaihFOUvlJAdGfDLVaXEAD5caZVYRysp9Hi2XcmYPfRIgxgcsmaifY7y\n"
			   "vOC0h1VkqbBmUlcL9oGsFI8nhT+2y9aPa62UNfjjIQ+I98Oi0VjWlQ32lAW7QDE3\n"
			   "6XpQf549pQKBgDjXL3tzGTSKwYPqWUV/x1C32/Sysf8/73ns/gAEp9hUyqJLlJKZ\n"
			   "M1Ea/u0+FM4RnyO8V0b4h296ainiKjleJwB7xlYu7E5aRu3sd8KU3VaZ1MeeOMBS\n"
			   "AiDKw7EOm8YyF6FEOurmRc1lxp2eA67RRAOVwl/JJUOq1JRNte3bBQfhAoGAe5Ah\n"
			   "HuStPbTld4m8E+ElfO2QAyLJQC/Qsi6P1dTNWyhcNSiSvnHhS3a0ZnjFg0CC/Dbh\n"
			   "E5fPp5H20hr/mRGjzzJSfoYE2G0UUVHulcLFYUuKlbK3HOaw68pPXHQfdP3XOWlU\n"
			   "rSPKz7ldxSXmFtc2GZybSy3HteDOTPIjxWf6puECgYAmFYeMhPS+Arwh2Z/4Kj02\n"
			   "u0h/rA2yZNEwZjVO4oRrua7qh0+fg/HN7NMIOlPWPQ42Hu+iEi//PwCYAXYrxlN4\n"
			   "RdxO9+WYgh478snpkuAB/iVqyBfW7xZNiz73kU8ZI1whfZGs2my774CR0vBvNJpG\n"
			   "NaMZZ7L7iA+xNczCGzxnVA==\n"
			   "-----END PRIVATE KEY-----\n";

const char jwt_aid_modulus[] =
    "opZZm01SB8Gvt6QLCU1na8XXA4dJh2HcLNZWc7OU9GhhI9WD5qbXUNBT_vFPrX62tbg4a141w_7vUeiI"
    "UT_4HbCfImScIN7FzicwXJVKjPKGnHi9nLIn2Ko5l6wKUmpOawf2ieQzMAvO-x217AfehCJJCwBBOLHB"
    "yGQZYXmSFUul_PMhi9KNMCL1vD7Or2RAMyhSadllhZbhqRFz6lIvy3LLUTsfwj1YQViMf9XKWjn_nMRb"
    "mhruUP8fBtfhEvlHgYOl52bHatQZMZRgrmziwHPK_z-1cEaE8-MzyoopkKrs6XZKcz3IRlSXGeAAKYKU"
    "Zx_5sIfFK1LDtFlaA-8CXQ";

const char jwt_aid_token[] =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImtleS0xIiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL3Rv"
    "a2VuLmFjdGlvbnMuZ2l0aHVidXNlcmNvbnRlbnQuY29tIiwiYXVkIjoiaHR0cHM6Ly9ib3QuZXhhbXBs"
    "ZS5vcmciLCJpYXQiOjE3OTU3MDAwMDAsIm5iZiI6MTc5NTY5OTQwMCwiZXhwIjoxNzk1NzAwMzAwLCJy"
    "ZXBvc2l0b3J5X2lkIjoiNDU2Nzg5IiwicmVmIjoicmVmcy9oZWFkcy9tYWluIiwic2hhIjoiNDVmNzA3"
    "NmUxZDBjNWM4ZjNhMWI2ZDFmMGU5YzhiN2E2ZDVlNGYzMCJ9.CbK37UsdPy3XTK8x1EJGdaHV74bxKQD"
    "RE5xPWSApchi01Bg41Ef-ZWDX8KHd1J2CplWYCuGHqJpUB7LKDM5P89vgIZmCLeXnI6zN96d70FVZOpV"
    "JSMzRIWYcyFqiFPNXdv_NG69VHQryy6CURWeYkQXpE9_p9F27uJHjuPCwLur9ry_Z9D_EGbojEVuBNPg"
    "iKoy1e1Hncz-Vmhm3hAHGso0V73aqK6QrcSHM0dsDRQPcoY3X4dfqQegGjl0hp4BjnZJR4pYJW9LaiNz"
    "A64B1b0GwRcdoCzj4gXzlofZ616qWNd1-wR2JlIbaiYAWj3yA3Y6lH37WiwbzxeFhgSlvxA";

struct crypto_rsa *
jwt_aid_public(void)
{
	uint8_t modulus[CRYPTO_RSA_BYTES];
	struct crypto_rsa *key;
	size_t size;

	assert_true(base64_url_decode(
	    jwt_aid_modulus, strlen(jwt_aid_modulus), modulus, sizeof(modulus), &size));
	key = crypto_rsa_new_public(modulus, size, "\1\0\1", 3, NULL);
	assert_non_null(key);
	return key;
}

static void
add(struct buf *out, const void *data, size_t size)
{
	char text[BASE64_URL_SIZE(3 * JWT_MAX)];

	assert_true(size <= 3 * JWT_MAX);
	buf_adds(out, base64_url_encode(data, size, text));
}

char *
jwt_aid_sign(const char *header, const char *claims)
{
	struct crypto_rsa *key = crypto_rsa_new_private(jwt_aid_key, strlen(jwt_aid_key), NULL);
	CLEANUP(buf_done) struct buf text = buf_make(8 * JWT_MAX);
	uint8_t signature[CRYPTO_RSA_BYTES];
	size_t size;

	add(&text, header, strlen(header));
	buf_addc(&text, '.');
	add(&text, claims, strlen(claims));
	size = crypto_rsa_sign(key, text.data, text.size, signature, NULL);
	assert_true(size > 0);
	crypto_rsa_free(key);
	buf_addc(&text, '.');
	add(&text, signature, size);
	return buf_take(&text);
}
