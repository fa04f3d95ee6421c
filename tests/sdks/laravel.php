<?php

// What the guide's class takes of Laravel, on curl: Http::withBasicAuth()->timeout()->post(), now().
// Each answer's status goes to standard output, on a line of its own.

class Http
{
    private string $user = '';
    private int $seconds = 30;

    public static function withBasicAuth(string $username, string $password): self
    {
        $request = new self();
        $request->user = "$username:$password";

        return $request;
    }

    public function timeout(int $seconds): self
    {
        $this->seconds = $seconds;

        return $this;
    }

    public function post(string $url, array $data): void
    {
        $request = curl_init($url);
        curl_setopt_array($request, [
            CURLOPT_USERPWD => $this->user,
            CURLOPT_TIMEOUT => $this->seconds,
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_HTTPHEADER => ['Content-Type: application/json'],
            CURLOPT_POSTFIELDS => json_encode($data),
        ]);
        curl_exec($request);
        echo curl_getinfo($request, CURLINFO_RESPONSE_CODE), "\n";
    }
}

function now(): object
{
    return new class {
        public function toIso8601String(): string
        {
            return date(DATE_ATOM);
        }
    };
}

