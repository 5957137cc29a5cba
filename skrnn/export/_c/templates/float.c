#define net_exp expf
#define net_log1p log1pf
#define net_sqrt sqrtf
#define net_fabs fabsf
#define net_tanh tanhf
